#pragma once
// Numeric kernels: a BERT encoder and the vector arithmetic of exact search, as C that is compiled once per
// instruction set and chosen at run time. Nothing here depends on the machine that compiled it, and no call
// keeps global state. All matrices are dense and row-major.

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

/// Which instructions a call may use. Every path computes the same formulas; sums are ordered differently, so
/// results agree to rounding, not to the last bit (except those of the int8 scheme).
typedef enum {
  QK_PATH_AUTO = 0,         ///< the widest that this CPU has, or what QUARRY_KERNELS names (see qk_path_resolved)
  QK_PATH_PLAIN = 1,        ///< portable C
  QK_PATH_AVX2 = 2,         ///< AVX2, FMA and F16C
  QK_PATH_AVX512 = 3,       ///< AVX-512 F, BW, DQ and VL, and of VNNI and BF16 what this CPU is faster with
  QK_PATH_AVX512_F = 4,     ///< the same without VNNI and BF16
  QK_PATH_AVX512_VNNI = 5,  ///< the same with VNNI, without BF16
  QK_PATH_AVX512_BF16 = 6,  ///< the same with VNNI and BF16
} qk_path;

/// What a product's factors are: part of an embedding's identity, never chosen by the CPU. Sums, norms, softmax and
/// GELU are binary32 in every scheme.
typedef enum {
  QK_SCHEME_FP32 = 0,  ///< binary32
  QK_SCHEME_BF16 = 1,  ///< weights and activations rounded to bfloat16
  QK_SCHEME_INT8 = 2,  ///< signed bytes a weight (scale by output), unsigned ones an activation (scale and offset by
                       ///< token); attention in 16-bit words
} qk_scheme;

typedef enum {
  QK_OK = 0,
  QK_OUT_OF_MEMORY = 1,
  QK_BAD_SHAPE = 2,   ///< sizes that the kernels cannot run
  QK_BAD_INPUT = 3,   ///< a token id or a length outside the model's range
  QK_BAD_SCHEME = 4,  ///< not one of the schemes
} qk_status;

/// Whether this CPU can run `path` (AUTO and PLAIN always).
int qk_path_available(qk_path path);
/// The path that a call given `path` runs: never AUTO, and PLAIN where `path` is not available. AUTO heeds the
/// environment variable QUARRY_KERNELS, for measurements: plain, avx2, avx512, avx512f,
/// avx512vnni or avx512bf16.
qk_path qk_path_resolved(qk_path path);

// MARK: Encoder

/// Sizes of a BERT encoder, as in the model's config.json. `hidden`, `intermediate` and hidden / heads must be
/// multiples of 32.
typedef struct {
  int32_t layers;
  int32_t hidden;
  int32_t heads;
  int32_t intermediate;
  int32_t vocabulary;
  int32_t positions;
  float layer_norm_epsilon;
} qk_encoder_shape;

/// One layer's weights in PyTorch's layout (a linear layer's weight is [outputs][inputs]), at any alignment.
typedef struct {
  const void *query_weight, *query_bias;
  const void *key_weight, *key_bias;
  const void *value_weight, *value_bias;
  const void *attention_output_weight, *attention_output_bias;
  const void *attention_norm_weight, *attention_norm_bias;
  const void *intermediate_weight, *intermediate_bias;
  const void *output_weight, *output_bias;
  const void *output_norm_weight, *output_norm_bias;
} qk_encoder_layer;

typedef struct {
  const void *word_embeddings;      ///< [vocabulary][hidden]; read in place, so it must outlive the encoder
  const void *position_embeddings;  ///< [positions][hidden]; likewise
  const void *type_embedding;       ///< [hidden], the row of token type 0; likewise
  const void *embedding_norm_weight, *embedding_norm_bias;
  const qk_encoder_layer *layers;
} qk_encoder_weights;

typedef struct qk_encoder qk_encoder;

/// Packs the layers' weights for `path` on up to `threads` threads, of which the caller's is one, copying all but the
/// embedding tables. `*status` says why NULL came back.
qk_encoder *qk_encoder_create(
    const qk_encoder_shape *shape, const qk_encoder_weights *weights, qk_scheme scheme, qk_path path, int32_t threads,
    qk_status *status);
void qk_encoder_free(qk_encoder *encoder);

/// Embeds `count` sequences: last hidden states averaged over a sequence's tokens, then scaled to length one.
///
/// Sequence i is `ids[offsets[i] ..< offsets[i + 1]]`, special tokens included. Threads take whole sequences in
/// the order given (longest first balances best) and a sequence never sees another, so its vector does not
/// depend on its neighbours or on `threads`, of which the caller's is one. `vectors` is [count][hidden]; `norms`,
/// if not NULL, gets each vector's length before scaling. Safe to call from several threads at once.
qk_status qk_encoder_embed(
    const qk_encoder *encoder, const int32_t *ids, const size_t *offsets, size_t count, int32_t threads,
    float *vectors, float *norms);

// MARK: Vectors

/// scores[i] = query · rows[i], for `count` rows of `dimension` numbers.
void qk_dot_f32(const float *query, const float *rows, size_t count, size_t dimension, float *scores, qk_path path);
/// The same over rows of IEEE 754 binary16, summed in binary32.
void qk_dot_f16(
    const float *query, const uint16_t *rows, size_t count, size_t dimension, float *scores, qk_path path);
/// Rounds to binary16, to nearest, ties to even; what is beyond its range becomes an infinity.
void qk_f16_from_f32(const float *source, uint16_t *target, size_t count, qk_path path);
/// Exact.
void qk_f32_from_f16(const uint16_t *source, float *target, size_t count, qk_path path);

#if defined(__cplusplus)
}
#endif

#include "Codes.h"
