// Registers of LANES floats and the functions that a BERT encoder needs of them. Included by EncoderPath.inc.h.
//
// Rounding a value to a byte turns a difference in its last bit into one of a whole step now and then, which later
// layers spread. So int8 gives the same vectors everywhere only because whatever it computes with is the same to the
// last bit: sums of integers are, and floats are by FUSED, sums in one order, and no contraction by the compiler.
#pragma clang fp contract(off)

typedef float vector __attribute__((ext_vector_type(LANES)));
typedef int32_t integers __attribute__((ext_vector_type(LANES)));
typedef uint32_t naturals __attribute__((ext_vector_type(LANES)));
typedef uint16_t halves __attribute__((ext_vector_type(LANES)));
typedef int16_t words __attribute__((ext_vector_type(LANES)));
typedef int8_t bytes __attribute__((ext_vector_type(LANES)));
typedef double doubles __attribute__((ext_vector_type(LANES)));

#define INLINE static inline __attribute__((always_inline))

INLINE vector load(const void *p) {
  vector v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void store(float *p, vector v) { memcpy(p, &v, sizeof v); }
INLINE vector splat(float x) { return (vector)(x); }
INLINE vector larger(vector a, vector b) { return a > b ? a : b; }
INLINE vector smaller(vector a, vector b) { return a < b ? a : b; }

// a b + c, rounded once.
INLINE vector fused(vector a, vector b, vector c) {
#if defined(__x86_64__) && LANES == 4
  // Without the instruction: the product is exact as a double, and rounding the sum twice differs once in 2^29.
  return __builtin_convertvector(
      __builtin_convertvector(a, doubles) * __builtin_convertvector(b, doubles) + __builtin_convertvector(c, doubles),
      vector);
#else
  return __builtin_elementwise_fma(a, b, c);
#endif
}

// Sums over a row go to sixteen partial ones on every path, and these together in one order.
#define PARTS (16 / LANES)

INLINE float sum_of(const vector parts[PARTS]) {
  float s[16];
  memcpy(s, parts, sizeof s);
  for (int width = 8; width > 0; width /= 2)
    for (int i = 0; i < width; i++) s[i] += s[i + width];
  return s[0];
}
INLINE float largest_of(vector v) {
  float s[LANES];
  memcpy(s, &v, sizeof v);
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++) s[i] = s[i] > s[i + width] ? s[i] : s[i + width];
  return s[0];
}

// Adding 1.5 * 2^23 to a float of magnitude below 2^22 rounds it to an integer, ties to even, that then sits in the
// low bits of the sum.
#define ROUNDER 12582912.0f

// e^x for x <= 0, relative error below 2e-7: x = n ln 2 + r, the Taylor series of e^r to r^6, times 2^n, for which a
// shift takes n from the low bits to the exponent.
INLINE vector exponential(vector x) {
  x = larger(x, splat(-87.0f));
  vector shifted = fused(x, splat(1.44269504f), splat(ROUNDER));
  vector n = shifted - splat(ROUNDER);
  vector r = fused(n, splat(-0.693145752f), x);
  r = fused(n, splat(-1.42860677e-6f), r);
  vector p = splat(1.0f / 720);
  p = fused(p, r, splat(1.0f / 120));
  p = fused(p, r, splat(1.0f / 24));
  p = fused(p, r, splat(1.0f / 6));
  p = fused(p, r, splat(0.5f));
  p = fused(p, r, splat(1.0f));
  p = fused(p, r, splat(1.0f));
  integers bits, exponent;
  memcpy(&bits, &p, sizeof p);
  memcpy(&exponent, &shifted, sizeof shifted);
  bits += exponent << 23;
  memcpy(&p, &bits, sizeof p);
  return p;
}

// x/2 (1 + erf(x / sqrt 2)), erf by Abramowitz and Stegun 7.1.26 (absolute error below 1.5e-7).
INLINE vector gelu(vector x) {
  vector magnitude = larger(x, -x);
  vector z = magnitude * splat(0.707106781f);
  vector t = splat(1.0f) / fused(z, splat(0.3275911f), splat(1.0f));
  vector p = splat(1.061405429f);
  p = fused(p, t, splat(-1.453152027f));
  p = fused(p, t, splat(1.421413741f));
  p = fused(p, t, splat(-0.284496736f));
  p = fused(p, t, splat(0.254829592f));
  vector erf = splat(1.0f) - (p * t) * exponential(-z * z);
  return splat(0.5f) * fused(magnitude, erf, x);
}

// MARK: Rounding to bfloat16, the upper half of a float: to nearest, ties to even

INLINE naturals rounded_bits(vector v) {
  naturals bits;
  memcpy(&bits, &v, sizeof v);
  return bits + ((bits >> 16) & 1) + 0x7fff;
}

#if NATIVE_BF16
// Operands of bfloat16 go in pairs: two neighbours along the inner dimension share 32 bits.
typedef uint16_t brain;
#define BRAIN_GROUP 2
INLINE void store_brains(brain *p, vector v) {
  halves rounded = __builtin_convertvector(rounded_bits(v) >> 16, halves);
  memcpy(p, &rounded, sizeof rounded);
}
#else
// Without the instructions, rounded values stay floats: their products are exact in either form.
typedef float brain;
#define BRAIN_GROUP 1
INLINE void store_brains(brain *p, vector v) {
  naturals rounded = rounded_bits(v) & 0xffff0000;
  memcpy(p, &rounded, sizeof rounded);
}
#endif

// MARK: Sums of products of integers, exact on every path

typedef int16_t word_pairs __attribute__((ext_vector_type(2 * LANES)));

#if !VNNI
INLINE integers products_of_pairs(word_pairs a, word_pairs b) {
#if defined(__x86_64__) && LANES == 16
  return (integers)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined(__x86_64__) && LANES == 8
  return (integers)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
  return (integers)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
  return __builtin_convertvector(a.even, integers) * __builtin_convertvector(b.even, integers) +
         __builtin_convertvector(a.odd, integers) * __builtin_convertvector(b.odd, integers);
#endif
}
#endif

// Activations go as unsigned bytes in groups of four where VNNI multiplies them, elsewhere as 16-bit words in pairs:
// either way one group is 32 bits, and is multiplied with as many signed weights for each column.
#if VNNI
typedef uint8_t quantum;
#define QUANTUM_GROUP 4
INLINE integers add_products(integers sum, integers activations, const int8_t *weights) {
  __m512i group;
  memcpy(&group, weights, sizeof group);
  return (integers)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)activations, group);
}
#else
typedef int16_t quantum;
#define QUANTUM_GROUP 2
typedef int8_t byte_pairs __attribute__((ext_vector_type(2 * LANES)));
INLINE integers add_products(integers sum, integers activations, const int8_t *weights) {
  byte_pairs narrow;
  memcpy(&narrow, weights, sizeof narrow);
  return sum + products_of_pairs((word_pairs)activations, __builtin_convertvector(narrow, word_pairs));
}
#endif

// The same for 16-bit words, in pairs.
INLINE integers add_word_products(integers sum, integers pair, const int32_t *words) {
#if VNNI
  return (integers)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)pair, (__m512i)load(words));
#else
  return sum + products_of_pairs((word_pairs)pair, (word_pairs)load(words));
#endif
}

#if VNNI
typedef uint8_t quanta __attribute__((ext_vector_type(LANES)));
#else
typedef words quanta;
#endif
/// v in 0 ... 255, rounded.
INLINE void store_quanta(quantum *p, vector v) {
  vector shifted = v + splat(ROUNDER);
  naturals bits;
  memcpy(&bits, &shifted, sizeof shifted);
  quanta narrow = __builtin_convertvector(bits & 0xff, quanta);
  memcpy(p, &narrow, sizeof narrow);
}

/// v rounded, of magnitude up to 32767.
INLINE words rounded_words(vector v) {
  vector shifted = v + splat(ROUNDER);
  naturals bits;
  memcpy(&bits, &shifted, sizeof shifted);
  return __builtin_convertvector(bits, words);
}
