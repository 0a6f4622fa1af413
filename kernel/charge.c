// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory cgroup of the process at the other end of a Unix socket. The kernel noted that process
 * when it connected, so unlike a process number this cannot name a stranger.
 */
#include <linux/err.h>
#include <linux/memcontrol.h>
#include <linux/net.h>
#include <linux/page_counter.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "charge.h"

static struct pid *peer(struct sock *sk)
{
	struct pid *pid;

	if (sk->sk_family != AF_UNIX || READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return ERR_PTR(-EINVAL);
	spin_lock(&sk->sk_peer_lock);
	pid = get_pid(sk->sk_peer_pid);
	spin_unlock(&sk->sk_peer_lock);
	return pid ?: ERR_PTR(-ESRCH);
}

/* The cgroup in which nothing is charged. */
struct mem_cgroup *dbp_charge_root(struct mem_cgroup *memcg)
{
	struct mem_cgroup *above;

	while (memcg && (above = parent_mem_cgroup(memcg)))
		memcg = above;
	return memcg;
}

#ifdef CONFIG_MEMCG
static struct mem_cgroup *cgroup_of(struct pid *pid)
{
	struct mem_cgroup *memcg = ERR_PTR(-ESRCH);
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	if (task) {
		memcg = mem_cgroup_from_task(task);
		if (memcg && !css_tryget(&memcg->css))
			memcg = ERR_PTR(-ESRCH);
	}
	rcu_read_unlock();
	return memcg;
}

/*
 * After a failed allocation: was it the limit of the cgroup that pays for this thread's
 * allocations, or of one above? The page allocator itself does not tell.
 */
bool dbp_charge_is_refused(size_t size)
{
	unsigned long pages = DIV_ROUND_UP(size, PAGE_SIZE);
	struct mem_cgroup *memcg;

	for (memcg = current->active_memcg; memcg; memcg = parent_mem_cgroup(memcg))
		if (page_counter_read(&memcg->memory) + pages > READ_ONCE(memcg->memory.max))
			return true;
	return false;
}
#else
static struct mem_cgroup *cgroup_of(struct pid *pid)
{
	return NULL;
}

bool dbp_charge_is_refused(size_t size)
{
	return false;
}
#endif

/* NULL where the kernel keeps no account. The caller ends with mem_cgroup_put(). */
struct mem_cgroup *dbp_charge_target(int socket_fd)
{
	struct mem_cgroup *memcg;
	struct socket *socket;
	struct pid *pid;
	int ret;

	socket = sockfd_lookup(socket_fd, &ret);
	if (!socket)
		return ERR_PTR(ret);
	pid = peer(socket->sk);
	sockfd_put(socket);
	if (IS_ERR(pid))
		return ERR_CAST(pid);
	memcg = cgroup_of(pid);
	put_pid(pid);
	return memcg;
}
