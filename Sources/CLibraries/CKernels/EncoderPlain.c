// Four lanes: what every x86-64 (SSE2) and arm64 (NEON) has.
#if defined(__x86_64__)
#include <emmintrin.h>
#endif
#define LANES 4
#define TILE_ROWS 6
#define VNNI 0
#define NATIVE_BF16 0
#define PATH_NAME encoder_path_plain
#if defined(__aarch64__)
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#endif
#include "EncoderPath.inc.h"
