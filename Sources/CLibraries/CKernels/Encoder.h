#pragma once
// What the encoder's driver and its compilations per instruction set share.

#include "CKernels.h"

/// A linear layer. Its weights are in panels: as many output columns as two registers hold floats, side by side for
/// each group of inputs, so that the inner loop reads memory in order.
typedef struct {
  void *panels;
  float *bias;
  /// int8: what a column's weights are multiples of, and the sum of those multiples.
  float *scale, *sum;
} packed_linear;

/// Components of the hidden state whose values are far larger than others': a few of them would set the step of all
/// with int8. Each goes into SPLIT_PARTS inputs with equal weights, and so counts as that much smaller.
enum { SPLITS = 4, SPLIT_PARTS = 4, SPLIT_INPUTS = SPLITS * (SPLIT_PARTS - 1) };

typedef struct {
  packed_linear qkv, attention, intermediate, output;
  float *attention_norm_weight, *attention_norm_bias;
  float *output_norm_weight, *output_norm_bias;
} packed_layer;

typedef struct {
  /// Bytes of a packed weight.
  size_t (*weight_size)(qk_scheme scheme);
  /// Bytes that packing a layer of so many inputs needs for a while.
  size_t (*packing_scratch_size)(size_t inputs);
  /// Packs [outputs][inputs] floats at any alignment; `scale` and `sum` get a number for each output with int8.
  /// `splits`, unless NULL, are the inputs (int8) that get further columns.
  void (*pack)(
      qk_scheme scheme, const void *weight, size_t outputs, size_t inputs, const int32_t *splits, void *panels,
      float *scale, float *sum, void *scratch);
  /// Bytes of working memory for one sequence of up to `tokens` tokens.
  size_t (*scratch_size)(const qk_encoder_shape *shape, qk_scheme scheme, int tokens);
  /// One sequence to the mean of its last hidden states.
  void (*embed)(const qk_encoder *encoder, const int32_t *ids, int tokens, void *scratch, float *mean);
} encoder_path;

struct qk_encoder {
  qk_encoder_shape shape;
  qk_scheme scheme;
  const encoder_path *path;
  const char *word_embeddings, *position_embeddings, *type_embedding;
  float *embedding_norm_weight, *embedding_norm_bias;
  packed_layer *layers;
  int32_t splits[SPLITS];
  void *storage;
};

extern const encoder_path encoder_path_plain;
#if defined(__x86_64__)
extern const encoder_path encoder_path_avx2;
extern const encoder_path encoder_path_avx512;
extern const encoder_path encoder_path_avx512_vnni;
extern const encoder_path encoder_path_avx512_bf16;
#endif
