#if defined(__x86_64__)
#include <immintrin.h>
#define LANES 16
#define TILE_ROWS 12
#define VNNI 1
#define NATIVE_BF16 0
#define PATH_NAME encoder_path_avx512_vnni
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512vnni"), min_vector_width(512))), \
    apply_to = function)
#include "EncoderPath.inc.h"
#pragma clang attribute pop
#endif
