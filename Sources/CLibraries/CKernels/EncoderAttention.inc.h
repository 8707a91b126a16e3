// Attention of one sequence, head by head. Included by EncoderPath.inc.h.
//
// A head's keys, transposed, and values, as they are, become panels, so that the tile kernels do it all: of floats
// (fp32), of bfloat16 (bf16) or of 16-bit words (int8). Words, because their sums are the same on every CPU, which
// those of bfloat16 are not, and because their products are as fast or faster: see docs/decisions/0012.

/// The largest magnitudes for which a sum of `count` products fits 32 bits.
typedef struct {
  float left, right;
} word_range;

/// `share` times as much goes to the left factor as to the right one.
static word_range range_of_words(int count, float share) {
  const float right = floorf(sqrtf(2147483000.0f / share / (float)count));
  const float left = right * share;
  return (word_range){left < 32767 ? left : 32767, right < 32767 ? right : 32767};
}

// MARK: Keys and values in panels

static void take_keys_as_floats(
    const float *key, size_t stride, int tokens, int head, const workspace *w, int rounds) {
  (void)rounds;
  float *panels = w->keys;
  const int columns = rounded_up(tokens, PANEL);
  memset(panels + (size_t)(columns - PANEL) * (size_t)head, 0, sizeof(float) * PANEL * (size_t)head);
  for (int j = 0; j < tokens; j++, key += stride) {
    float *column = panels + (size_t)(j / PANEL) * PANEL * (size_t)head + j % PANEL;
    for (int k = 0; k < head; k += LANES) {
      float row[LANES];
      vector v = load(key + k);
#if !NATIVE_BF16
      if (rounds)
        store_brains(row, v);
      else
#endif
        store(row, v);
      for (int i = 0; i < LANES; i++) column[(size_t)(k + i) * PANEL] = row[i];
    }
  }
}

static void take_values_as_floats(
    const float *value, size_t stride, int tokens, int head, const workspace *w, int rounds) {
  (void)rounds;
  for (int j = 0; j < tokens; j++, value += stride)
    for (int k = 0; k < head; k += LANES) {
      float *target = (float *)w->values + ((size_t)(k / PANEL) * (size_t)tokens + (size_t)j) * PANEL + k % PANEL;
      vector v = load(value + k);
#if !NATIVE_BF16
      if (rounds)
        store_brains(target, v);
      else
#endif
        store(target, v);
    }
}

/// Puts a row of `head` 16-bit numbers into its column of the keys' panels, two at a time.
INLINE void put_key_pairs(int32_t *panels, int token, int head, const void *row) {
  int32_t *column = panels + (size_t)(token / PANEL) * PANEL * (size_t)(head / 2) + token % PANEL;
  for (int i = 0; i < head / 2; i++) memcpy(column + (size_t)i * PANEL, (const char *)row + 4 * i, 4);
}

static void clear_last_key_pairs(int tokens, int head, const workspace *w) {
  const size_t panel = PANEL * (size_t)(head / 2), last = (size_t)((tokens - 1) / PANEL);
  memset((int32_t *)w->keys + last * panel, 0, sizeof(int32_t) * panel);
}

INLINE int32_t *value_pairs_at(const workspace *w, int tokens, int token, int column) {
  const size_t pairs = (size_t)(tokens + 1) / 2;
  return (int32_t *)w->values + ((size_t)(column / PANEL) * pairs + (size_t)token / 2) * PANEL + column % PANEL;
}

#if NATIVE_BF16
static void take_pairs_of_brains(
    const float *key, const float *value, size_t stride, int tokens, int head, const workspace *w) {
  clear_last_key_pairs(tokens, head, w);
  for (int j = 0; j < tokens; j++)
    for (int k = 0; k < head; k += LANES) {
      brain row[LANES];
      store_brains(row, load(key + (size_t)j * stride + k));
      put_key_pairs((int32_t *)w->keys + (size_t)(k / 2) * PANEL, j, head, row);
    }
  for (int j = 0; j < tokens; j += 2, value += 2 * stride)
    for (int k = 0; k < head; k += LANES) {
      naturals pair = rounded_bits(load(value + k)) >> 16;
      // Past an odd number of tokens come zeros: what they are multiplied with does not matter.
      if (j + 1 < tokens) pair |= rounded_bits(load(value + stride + k)) & 0xffff0000;
      memcpy(value_pairs_at(w, tokens, j, k), &pair, sizeof pair);
    }
}
#endif

/// A row as words of magnitude up to `most`. Returns what one of them stands for.
static float take_row_as_words(const float *row, int head, float most, int16_t *target) {
  vector top = splat(0);
  for (int k = 0; k < head; k += LANES) {
    vector v = load(row + k);
    top = larger(top, larger(v, -v));
  }
  const float largest = largest_of(top);
  const vector factor = splat(largest > 0 ? most / largest : 0);
  for (int k = 0; k < head; k += LANES) {
    words rounded = rounded_words(load(row + k) * factor);
    memcpy(target + k, &rounded, sizeof rounded);
  }
  return largest / most;
}

static void take_keys_as_words(const float *key, size_t stride, int tokens, int head, const workspace *w) {
  const float most = range_of_words(head, 1).right;
  // Bounded by qk_encoder_create: hidden is at most 8192.
  int16_t row[head];
  clear_last_key_pairs(tokens, head, w);
  memset(w->key_step, 0, (size_t)rounded_up(tokens, PANEL) * sizeof(float));
  for (int j = 0; j < tokens; j++) {
    w->key_step[j] = take_row_as_words(key + (size_t)j * stride, head, most, row);
    put_key_pairs(w->keys, j, head, row);
  }
}

static void take_values_as_words(
    const float *value, size_t stride, int tokens, int head, const workspace *w, float most) {
  for (int k = 0; k < head; k += LANES) {
    vector top = splat(0);
    for (int j = 0; j < tokens; j++) {
      vector v = load(value + (size_t)j * stride + k);
      top = larger(top, larger(v, -v));
    }
    // A column of zeros stays zeros.
    const vector least = splat(1e-30f), factor = splat(most) / larger(top, least);
    store(w->value_step + k, top / splat(most));
    for (int j = 0; j < tokens; j += 2) {
      const float *row = value + (size_t)j * stride + k;
      naturals pair = __builtin_convertvector((halves)rounded_words(load(row) * factor), naturals);
      if (j + 1 < tokens)
        pair |= __builtin_convertvector((halves)rounded_words(load(row + stride) * factor), naturals) << 16;
      memcpy(value_pairs_at(w, tokens, j, k), &pair, sizeof pair);
    }
  }
}

// MARK: Softmax

// In each form, attention weights of `rows` rows before division by their sum, whose reciprocal goes to `inverse`.

INLINE vector highest_of(float *scores, size_t stride, int tokens) {
  for (int j = tokens; j < (int)stride; j++) scores[j] = -1e30f;
  vector top = load(scores);
  for (int j = LANES; j < (int)stride; j += LANES) top = larger(top, load(scores + j));
  return splat(largest_of(top));
}

/// In place, or rounded to `rounded`.
static void soften(
    float *scores, size_t stride, int rows, int tokens, float scale, float *inverse, brain *rounded) {
  for (int i = 0; i < rows; i++, scores += stride) {
    const vector highest = highest_of(scores, stride, tokens);
    vector total = splat(0);
    for (int j = 0; j < (int)stride; j += LANES) {
      vector e = exponential((load(scores + j) - highest) * splat(scale));
      total += e;
      if (rounded)
        store_brains(rounded + (size_t)i * stride + j, e);
      else
        store(scores + j, e);
    }
    float lanes[LANES];
    store(lanes, total);
    for (int width = LANES / 2; width > 0; width /= 2)
      for (int l = 0; l < width; l++) lanes[l] += lanes[l + width];
    inverse[i] = 1.0f / lanes[0];
  }
}

/// As words up to `most`, whose sum is exact.
static void soften_to_words(
    float *scores, size_t stride, int rows, int tokens, float scale, float *inverse, int16_t *rounded, float most) {
  for (int i = 0; i < rows; i++, scores += stride) {
    const vector highest = highest_of(scores, stride, tokens);
    integers total = (integers)(0);
    for (int j = 0; j < (int)stride; j += LANES) {
      words e = rounded_words(exponential((load(scores + j) - highest) * splat(scale)) * splat(most));
      total += __builtin_convertvector(e, integers);
      memcpy(rounded + (size_t)i * stride + j, &e, sizeof e);
    }
    int32_t lanes[LANES], sum = 0;
    memcpy(lanes, &total, sizeof total);
    for (int l = 0; l < LANES; l++) sum += lanes[l];
    inverse[i] = 1.0f / (float)sum;
  }
}

// MARK: Attention

static void attend(const qk_encoder_shape *s, qk_scheme scheme, int tokens, const workspace *w) {
  const int hidden = s->hidden, head = hidden / s->heads, columns = rounded_up(tokens, PANEL);
  const size_t stride = 3 * (size_t)hidden + ROW_PADDING;
  const float scale = 1.0f / sqrtf((float)head);
  const numbers numbers = scheme == QK_SCHEME_INT8 ? WORDS : scheme == QK_SCHEME_BF16 ? BRAINS : FLOATS;
  // Small weights count together, so the weights get more of the 32 bits than the values.
  const word_range range = range_of_words(rounded_up(tokens, 2), 8);
  const float most_of_query = range_of_words(head, 1).left;
  float inverse[TILE_ROWS];
  for (int h = 0; h < s->heads; h++) {
    const float *query = w->qkv + h * head, *key = query + hidden, *value = key + hidden;
    product first = {
        .numbers = numbers, .a = query, .a_stride = stride, .inner = head, .panels = w->keys, .columns = columns,
        .c = w->scores, .c_stride = (size_t)columns, .column_scale = w->key_step};
    product second = {
        .numbers = numbers, .a = w->scores, .a_stride = (size_t)columns, .inner = tokens, .panels = w->values,
        .columns = head, .c_stride = (size_t)hidden, .epilogue = SCALED, .scale = inverse,
        .column_scale = w->value_step};
    size_t query_size = sizeof(float);
    if (numbers != FLOATS) {
      first.a = w->queries;
      first.a_stride = (size_t)head;
      second.a = w->weights;
    }
    switch (numbers) {
      case WORDS:
        query_size = sizeof(int16_t);
        for (int i = 0; i < tokens; i++)
          w->query_step[i] = take_row_as_words(
              query + (size_t)i * stride, head, most_of_query, (int16_t *)w->queries + (size_t)i * (size_t)head);
        take_keys_as_words(key, stride, tokens, head, w);
        take_values_as_words(value, stride, tokens, head, w, range.right);
        first.epilogue = SCALED;
        second.inner = rounded_up(tokens, 2);
        break;
      case BRAINS:
        query_size = sizeof(brain);
        for (int i = 0; i < tokens; i++)
          for (int k = 0; k < head; k += LANES)
            store_brains((brain *)w->queries + (size_t)i * (size_t)head + k, load(query + (size_t)i * stride + k));
        second.inner = rounded_up(tokens, BRAIN_GROUP);
#if NATIVE_BF16
        take_pairs_of_brains(key, value, stride, tokens, head, w);
        break;
#endif
      default:
        take_keys_as_floats(key, stride, tokens, head, w, numbers == BRAINS);
        take_values_as_floats(value, stride, tokens, head, w, numbers == BRAINS);
    }
    const char *queries = first.a;
    const int tiles = (tokens + TILE_ROWS - 1) / TILE_ROWS;
    for (int i = 0; i < tiles; i++) {
      const int top = tokens * i / tiles, rows = tokens * (i + 1) / tiles - top;
      first.a = queries + (size_t)top * first.a_stride * query_size;
      first.scale = w->query_step + top;
      first.rows = second.rows = rows;
      multiply(&first);
      if (numbers == WORDS)
        soften_to_words(w->scores, (size_t)columns, rows, tokens, scale, inverse, w->weights, range.left);
      else
        soften(
            w->scores, (size_t)columns, rows, tokens, scale, inverse, numbers == BRAINS ? w->weights : NULL);
      second.c = w->context + (size_t)top * (size_t)hidden + h * head;
      multiply(&second);
    }
  }
}
