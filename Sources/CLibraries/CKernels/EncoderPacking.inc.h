// A linear layer's weights, from PyTorch's layout to panels of the scheme's numbers. Included by EncoderPath.inc.h.

static numbers numbers_of(qk_scheme scheme) {
  switch (scheme) {
    case QK_SCHEME_BF16:
      return BRAINS;
    case QK_SCHEME_INT8:
      return BYTES;
    default:
      return FLOATS;
  }
}

/// One output's weights as signed bytes: the largest magnitude becomes 127. Returns what one of them stands for.
static float quantise_weights(const char *source, size_t inputs, int8_t *target, float *sum) {
  vector top = splat(0);
  for (size_t k = 0; k < inputs; k += LANES) {
    vector v = load(source + k * sizeof(float));
    top = larger(top, larger(v, -v));
  }
  const float largest = largest_of(top);
  const vector factor = splat(largest > 0 ? 127.0f / largest : 0);
  integers total = (integers)(0);
  for (size_t k = 0; k < inputs; k += LANES) {
    vector scaled = load(source + k * sizeof(float)) * factor;
    vector shifted = scaled + splat(ROUNDER);
    integers bits;
    memcpy(&bits, &shifted, sizeof shifted);
    bytes narrow = __builtin_convertvector(bits, bytes);
    memcpy(target + k, &narrow, sizeof narrow);
    total += __builtin_convertvector(narrow, integers);
  }
  int32_t lanes[LANES], whole = 0;
  memcpy(lanes, &total, sizeof total);
  for (int i = 0; i < LANES; i++) whole += lanes[i];
  *sum = (float)whole;
  return largest / 127.0f;
}

/// Inputs of a packed layer: the layer's own, and what `splits` add.
static size_t packed_inputs(numbers numbers, size_t inputs, const int32_t *splits) {
  return inputs + (numbers == BYTES && splits ? SPLIT_INPUTS : 0);
}

/// `scratch` has room for packing_scratch_size(inputs) bytes; `scale` and `sum`, one number an output, are written by
/// the int8 scheme only.
static void pack(
    qk_scheme scheme, const void *weight, size_t outputs, size_t inputs, const int32_t *splits, void *panels,
    float *scale, float *sum, void *scratch) {
  const numbers numbers = numbers_of(scheme);
  const size_t width = weight_size(numbers) * packed_inputs(numbers, inputs, splits);
  // A group of weights is what one column of a panel has for one step of the inner loop.
  const size_t group = numbers == BYTES ? QUANTUM_GROUP : sizeof(float);
  // Rows that lie a power of two apart would share few lines of the cache.
  const size_t stride = width + 64;
  for (size_t first = 0; first < outputs; first += PANEL) {
    for (size_t column = 0; column < PANEL; column++) {
      const char *source = (const char *)weight + (first + column) * inputs * sizeof(float);
      char *row = (char *)scratch + column * stride;
      switch (numbers) {
        case FLOATS:
          memcpy(row, source, width);
          break;
        case BRAINS:
          for (size_t k = 0; k < inputs; k += LANES) store_brains((brain *)row + k, load(source + k * sizeof(float)));
          break;
        case BYTES:
          scale[first + column] = quantise_weights(source, inputs, (int8_t *)row, &sum[first + column]);
          for (int i = 0; splits && i < SPLITS; i++)
            for (int part = 1; part < SPLIT_PARTS; part++) {
              const int8_t weight_of_part = row[splits[i]];
              row[inputs + (size_t)(i * (SPLIT_PARTS - 1) + part - 1)] = weight_of_part;
              sum[first + column] += weight_of_part;
            }
          break;
        case WORDS:  // only in attention
          break;
      }
    }
    char *panel = (char *)panels + first * width;
    const size_t groups = width / group;
    if (group == 4) {
      for (size_t k = 0; k < groups; k++)
        for (size_t column = 0; column < PANEL; column++)
          memcpy(panel + (k * PANEL + column) * 4, (const char *)scratch + column * stride + k * 4, 4);
    } else {
      for (size_t k = 0; k < groups; k++)
        for (size_t column = 0; column < PANEL; column++)
          memcpy(panel + (k * PANEL + column) * 2, (const char *)scratch + column * stride + k * 2, 2);
    }
  }
}

static size_t packing_scratch_size(size_t inputs) { return PANEL * ((inputs + SPLIT_INPUTS) * sizeof(float) + 64); }

static size_t scheme_weight_size(qk_scheme scheme) { return weight_size(numbers_of(scheme)); }
