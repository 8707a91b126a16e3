#pragma once
// What the encoder's driver and its compilations per instruction set share.

#include "CKernels.h"

/// Weights in panels: `panel width` output columns side by side for each input, so that the inner loop reads
/// memory in order. biases and norms as they are.
typedef struct {
  const float *qkv_panels, *qkv_bias;
  const float *attention_panels, *attention_bias;
  const float *attention_norm_weight, *attention_norm_bias;
  const float *intermediate_panels, *intermediate_bias;
  const float *output_panels, *output_bias;
  const float *output_norm_weight, *output_norm_bias;
} packed_layer;

typedef struct {
  /// Columns of a panel.
  int panel;
  /// Bytes of working memory for one sequence of up to `tokens` tokens.
  size_t (*scratch_size)(const qk_encoder_shape *shape, int tokens);
  /// One sequence to the mean of its last hidden states.
  void (*embed)(const qk_encoder *encoder, const int32_t *ids, int tokens, float *scratch, float *mean);
} encoder_path;

struct qk_encoder {
  qk_encoder_shape shape;
  const encoder_path *path;
  const char *word_embeddings, *position_embeddings, *type_embedding;
  const float *embedding_norm_weight, *embedding_norm_bias;
  packed_layer *layers;
  float *storage;
};

extern const encoder_path encoder_path_plain;
#if defined(__x86_64__)
extern const encoder_path encoder_path_avx2;
extern const encoder_path encoder_path_avx512;
#endif
