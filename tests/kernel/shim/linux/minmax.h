/* SPDX-License-Identifier: MIT */
#ifndef SHIM_MINMAX_H
#define SHIM_MINMAX_H

#define min_t(type, x, y)                                                                          \
	({                                                                                         \
		type shim_x = (x), shim_y = (y);                                                   \
		shim_x < shim_y ? shim_x : shim_y;                                                 \
	})
#define max_t(type, x, y)                                                                          \
	({                                                                                         \
		type shim_x = (x), shim_y = (y);                                                   \
		shim_x > shim_y ? shim_x : shim_y;                                                 \
	})
/* Of one type, as in the kernel. */
#define min(x, y)                                                                                  \
	({                                                                                         \
		_Static_assert(__builtin_types_compatible_p(typeof(x), typeof(y)), "types");       \
		min_t(typeof(x), x, y);                                                            \
	})

#endif
