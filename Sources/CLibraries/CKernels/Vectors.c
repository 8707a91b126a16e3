// Dot products and binary16, per instruction set.

#include <string.h>

#include "CKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// MARK: Portable

static float half_to_float(uint16_t half) {
  // The bits shifted into place, then the exponent rebased by a multiplication, which also normalises what is
  // subnormal in binary16; an infinity or NaN gets its exponent filled.
  const uint32_t sign = (uint32_t)(half & 0x8000u) << 16, rest = (uint32_t)(half & 0x7fffu) << 13;
  uint32_t bits = rest;
  float value;
  memcpy(&value, &bits, 4);
  value *= 0x1p112f;
  memcpy(&bits, &value, 4);
  if (rest >= 0x7c00u << 13) bits = rest | 0x7f800000u;
  bits |= sign;
  memcpy(&value, &bits, 4);
  return value;
}

static uint16_t float_to_half(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  const uint16_t sign = (uint16_t)((bits >> 16) & 0x8000u);
  bits &= 0x7fffffffu;
  if (bits > 0x7f800000u) return sign | (uint16_t)(0x7e00u | ((bits >> 13) & 0x3ffu));  // NaN, quiet
  if (bits >= 0x477ff000u) return sign | 0x7c00u;  // rounds to 2^16 or more
  if (bits < 0x38800000u) {
    // Below 2^-14: adding 1/2 leaves multiples of 2^-24, binary16's subnormal step, in the low bits.
    float magnitude;
    memcpy(&magnitude, &bits, 4);
    magnitude += 0.5f;
    memcpy(&bits, &magnitude, 4);
    return sign | (uint16_t)(bits - 0x3f000000u);
  }
  bits += 0xfffu + ((bits >> 13) & 1u);
  return sign | (uint16_t)((bits - (112u << 23)) >> 13);
}

static void dot_f32_plain(const float *query, const float *rows, size_t count, size_t dimension, float *scores) {
  for (size_t i = 0; i < count; i++, rows += dimension) {
    float sums[16] = {0};
    size_t j = 0;
    for (; j + 16 <= dimension; j += 16)
      for (size_t lane = 0; lane < 16; lane++) sums[lane] += query[j + lane] * rows[j + lane];
    for (; j < dimension; j++) sums[0] += query[j] * rows[j];
    for (size_t width = 8; width > 0; width /= 2)
      for (size_t lane = 0; lane < width; lane++) sums[lane] += sums[lane + width];
    scores[i] = sums[0];
  }
}

static void dot_f16_plain(const float *query, const uint16_t *rows, size_t count, size_t dimension, float *scores) {
  for (size_t i = 0; i < count; i++, rows += dimension) {
    float sums[16] = {0};
    size_t j = 0;
    for (; j + 16 <= dimension; j += 16)
      for (size_t lane = 0; lane < 16; lane++) sums[lane] += query[j + lane] * half_to_float(rows[j + lane]);
    for (; j < dimension; j++) sums[0] += query[j] * half_to_float(rows[j]);
    for (size_t width = 8; width > 0; width /= 2)
      for (size_t lane = 0; lane < width; lane++) sums[lane] += sums[lane + width];
    scores[i] = sums[0];
  }
}

#if defined(__x86_64__)

// MARK: AVX2

#define AVX2 __attribute__((target("avx2,fma,f16c")))

static inline AVX2 float sum8(__m256 v) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

static AVX2 void dot_f32_avx2(const float *query, const float *rows, size_t count, size_t dimension, float *scores) {
  for (size_t i = 0; i < count; i++, rows += dimension) {
    __m256 a = _mm256_setzero_ps(), b = a, c = a, d = a;
    size_t j = 0;
    for (; j + 32 <= dimension; j += 32) {
      a = _mm256_fmadd_ps(_mm256_loadu_ps(query + j), _mm256_loadu_ps(rows + j), a);
      b = _mm256_fmadd_ps(_mm256_loadu_ps(query + j + 8), _mm256_loadu_ps(rows + j + 8), b);
      c = _mm256_fmadd_ps(_mm256_loadu_ps(query + j + 16), _mm256_loadu_ps(rows + j + 16), c);
      d = _mm256_fmadd_ps(_mm256_loadu_ps(query + j + 24), _mm256_loadu_ps(rows + j + 24), d);
    }
    float sum = sum8(_mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d)));
    for (; j < dimension; j++) sum += query[j] * rows[j];
    scores[i] = sum;
  }
}

static inline AVX2 __m256 load8(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }

static AVX2 void dot_f16_avx2(const float *query, const uint16_t *rows, size_t count, size_t dimension, float *scores) {
  for (size_t i = 0; i < count; i++, rows += dimension) {
    __m256 a = _mm256_setzero_ps(), b = a, c = a, d = a;
    size_t j = 0;
    for (; j + 32 <= dimension; j += 32) {
      a = _mm256_fmadd_ps(_mm256_loadu_ps(query + j), load8(rows + j), a);
      b = _mm256_fmadd_ps(_mm256_loadu_ps(query + j + 8), load8(rows + j + 8), b);
      c = _mm256_fmadd_ps(_mm256_loadu_ps(query + j + 16), load8(rows + j + 16), c);
      d = _mm256_fmadd_ps(_mm256_loadu_ps(query + j + 24), load8(rows + j + 24), d);
    }
    float sum = sum8(_mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d)));
    for (; j < dimension; j++) sum += query[j] * half_to_float(rows[j]);
    scores[i] = sum;
  }
}

static AVX2 void f16_from_f32_avx2(const float *source, uint16_t *target, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm_storeu_si128(
        (__m128i *)(target + i), _mm256_cvtps_ph(_mm256_loadu_ps(source + i), _MM_FROUND_TO_NEAREST_INT));
  for (; i < count; i++) target[i] = float_to_half(source[i]);
}

static AVX2 void f32_from_f16_avx2(const uint16_t *source, float *target, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) _mm256_storeu_ps(target + i, load8(source + i));
  for (; i < count; i++) target[i] = half_to_float(source[i]);
}

// MARK: AVX-512

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")))

static AVX512 void dot_f32_avx512(const float *query, const float *rows, size_t count, size_t dimension, float *scores) {
  for (size_t i = 0; i < count; i++, rows += dimension) {
    __m512 a = _mm512_setzero_ps(), b = a, c = a, d = a;
    size_t j = 0;
    for (; j + 64 <= dimension; j += 64) {
      a = _mm512_fmadd_ps(_mm512_loadu_ps(query + j), _mm512_loadu_ps(rows + j), a);
      b = _mm512_fmadd_ps(_mm512_loadu_ps(query + j + 16), _mm512_loadu_ps(rows + j + 16), b);
      c = _mm512_fmadd_ps(_mm512_loadu_ps(query + j + 32), _mm512_loadu_ps(rows + j + 32), c);
      d = _mm512_fmadd_ps(_mm512_loadu_ps(query + j + 48), _mm512_loadu_ps(rows + j + 48), d);
    }
    float sum = _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, d)));
    for (; j < dimension; j++) sum += query[j] * rows[j];
    scores[i] = sum;
  }
}

static inline AVX512 __m512 load16(const uint16_t *p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

static AVX512 void dot_f16_avx512(
    const float *query, const uint16_t *rows, size_t count, size_t dimension, float *scores) {
  for (size_t i = 0; i < count; i++, rows += dimension) {
    __m512 a = _mm512_setzero_ps(), b = a, c = a, d = a;
    size_t j = 0;
    for (; j + 64 <= dimension; j += 64) {
      a = _mm512_fmadd_ps(_mm512_loadu_ps(query + j), load16(rows + j), a);
      b = _mm512_fmadd_ps(_mm512_loadu_ps(query + j + 16), load16(rows + j + 16), b);
      c = _mm512_fmadd_ps(_mm512_loadu_ps(query + j + 32), load16(rows + j + 32), c);
      d = _mm512_fmadd_ps(_mm512_loadu_ps(query + j + 48), load16(rows + j + 48), d);
    }
    float sum = _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, d)));
    for (; j < dimension; j++) sum += query[j] * half_to_float(rows[j]);
    scores[i] = sum;
  }
}

#endif

// MARK: Dispatch

void qk_dot_f32(const float *query, const float *rows, size_t count, size_t dimension, float *scores, qk_path path) {
  switch (qk_path_resolved(path)) {
#if defined(__x86_64__)
    case QK_PATH_AVX512:
    case QK_PATH_AVX512_F:
    case QK_PATH_AVX512_VNNI:
    case QK_PATH_AVX512_BF16:
      return dot_f32_avx512(query, rows, count, dimension, scores);
    case QK_PATH_AVX2:
      return dot_f32_avx2(query, rows, count, dimension, scores);
#endif
    default:
      return dot_f32_plain(query, rows, count, dimension, scores);
  }
}

void qk_dot_f16(
    const float *query, const uint16_t *rows, size_t count, size_t dimension, float *scores, qk_path path) {
  switch (qk_path_resolved(path)) {
#if defined(__x86_64__)
    case QK_PATH_AVX512:
    case QK_PATH_AVX512_F:
    case QK_PATH_AVX512_VNNI:
    case QK_PATH_AVX512_BF16:
      return dot_f16_avx512(query, rows, count, dimension, scores);
    case QK_PATH_AVX2:
      return dot_f16_avx2(query, rows, count, dimension, scores);
#endif
    default:
      return dot_f16_plain(query, rows, count, dimension, scores);
  }
}

void qk_f16_from_f32(const float *source, uint16_t *target, size_t count, qk_path path) {
#if defined(__x86_64__)
  if (qk_path_resolved(path) != QK_PATH_PLAIN) return f16_from_f32_avx2(source, target, count);
#endif
  (void)path;
  for (size_t i = 0; i < count; i++) target[i] = float_to_half(source[i]);
}

void qk_f32_from_f16(const uint16_t *source, float *target, size_t count, qk_path path) {
#if defined(__x86_64__)
  if (qk_path_resolved(path) != QK_PATH_PLAIN) return f32_from_f16_avx2(source, target, count);
#endif
  (void)path;
  for (size_t i = 0; i < count; i++) target[i] = half_to_float(source[i]);
}
