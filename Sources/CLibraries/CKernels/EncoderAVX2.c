#if defined(__x86_64__)
#include <immintrin.h>
#define LANES 8
#define TILE_ROWS 6
#define VNNI 0
#define NATIVE_BF16 0
#define PATH_NAME encoder_path_avx2
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#pragma clang attribute push( \
    __attribute__((target("avx2,fma"))), \
    apply_to = function)
#include "EncoderPath.inc.h"
#pragma clang attribute pop
#endif
