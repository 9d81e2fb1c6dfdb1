// The small steps between products, and rows of embeddings.

// Root-mean-square norm: a block for each row. Squares are added up in sixteen lanes, then the lanes in order.
extern "C" __global__ void norm_rows(const float *x, const float *weight, float epsilon, float *y, int width) {
    __shared__ float lanes[LANES];
    const float *row = x + (i64)blockIdx.x * width;
    float *out = y + (i64)blockIdx.x * width;
    ALL(t) if (t < LANES) {
        float sum = 0.0f;
#pragma unroll 8
        for (int i = t; i < width; i += LANES) sum += row[i] * row[i];
        lanes[t] = sum;
    }
    EACH(t) {
        float sum = 0.0f;
        for (int i = 0; i < LANES; ++i) sum += lanes[i];
        float scale = 1.0f / sqrtf(sum / (float)width + epsilon);
        for (int i = t; i < width; i += blockDim.x) out[i] = row[i] * scale * weight[i];
    }
}

// Threads that round a block of activations, each four of them.
#define ROUNDERS (BLOCK / 4)

static __device__ __forceinline__ float silu(float gate, float up) {
    return gate / (1.0f + exponential(-gate)) * up;
}

// Rounds rows to eight bits, where there is `up` after gating them in their place: a block of threads for each block of a row. The value that is furthest from zero,
// the first of several, becomes -127.
extern "C" __global__ void round_rows(
    float *values, const float *up, int width, int blocks, signed char *codes, float *scales, float *sums, float *halves) {
    __shared__ float most[ROUNDERS], furthest[ROUNDERS];
    __shared__ int part[ROUNDERS];
    i64 index = blockIdx.x;
    int from = (int)(index % blocks) * BLOCK;
    int length = width - from < BLOCK ? width - from : BLOCK;
    i64 start = index / blocks * width + from;
    float *own = values + start;
    ALL(t) {
        most[t] = 0.0f;
        furthest[t] = 0.0f;
        for (int i = 4 * t; i < 4 * t + 4 && i < length; ++i) {
            if (up) own[i] = silu(own[i], up[start + i]);
            if (fabsf(own[i]) > most[t]) {
                most[t] = fabsf(own[i]);
                furthest[t] = own[i];
            }
        }
    }
    ALL(t) {
        float top = 0.0f, far = 0.0f;
        for (int i = 0; i < ROUNDERS; ++i) {
            if (most[i] > top) {
                top = most[i];
                far = furthest[i];
            }
        }
        float inverse = -127.0f / far;
        u32 word = 0;
        int sum = 0;
        for (int j = 0; j < 4; ++j) {
            int i = 4 * t + j, code = 0;
            if (i < length && top != 0.0f) {
                float value = roundf(inverse * own[i]);
                // What is not a number counts as zero.
                value = value > 127.0f ? 127.0f : value < -127.0f ? -127.0f : value;
                code = value == value ? (int)value : 0;
            }
            word |= (u32)(code & 255) << (8 * j);
            sum += code;
        }
        ((u32 *)codes)[index * ROUNDERS + t] = word;
        part[t] = sum;
        if (t == 0) scales[index] = top != 0.0f ? 1.0f / inverse : 0.0f;
    }
    EACH(t) {
        if (t < 2 * GROUPS) {
            const int *four = part + 4 * t;
            halves[index * 2 * GROUPS + t] = (float)(four[0] + four[1] + four[2] + four[3]);
        }
        if (t < GROUPS) {
            int sum = 0;
            for (int i = 0; i < 8; ++i) sum += part[8 * t + i];
            sums[index * GROUPS + t] = (float)sum;
        }
    }
}

// silu(gate) * up, in the place of `gate`.
extern "C" __global__ void gated(float *gate, const float *up, i64 count) {
    EACH(t) {
        i64 i = (i64)blockIdx.x * blockDim.x + t;
        if (i < count) gate[i] = silu(gate[i], up[i]);
    }
}

// What flows between layers, rounded to bf16.
extern "C" __global__ void shorten(float *x, i64 count) {
    EACH(t) {
        i64 i = (i64)blockIdx.x * blockDim.x + t;
        if (i < count) x[i] = shortened(x[i]);
    }
}

// The rows of `x` that are named, side by side.
extern "C" __global__ void pick(const float *x, const int *rows, float *out, int width, i64 count) {
    EACH(t) {
        i64 i = (i64)blockIdx.x * blockDim.x + t;
        if (i < count) out[i] = x[(i64)rows[i / width] * width + i % width];
    }
}

enum { F32, F16, BF16, EIGHT, PAIRS4, PAIRS8, SUPER4, SUPER8, SIX };

// One weight, as `Matrix::row` of the host reads it.
static __device__ float weight_at(int form, const u8 *codes, const u8 *heads, int lane, int column) {
    int at = column * COLUMNS + lane, group = column / GROUP, block = column / BLOCK;
    if (form == F32) return ((const float *)codes)[at];
    if (form == F16) return half_of(((const u16 *)codes)[at]);
    if (form == BF16) return brain_of(((const u16 *)codes)[at]);
    int code;
    if (form == PAIRS4 || form == SUPER4) {
        int both = codes[column / 8 * 64 + lane * 4 + column % 4];
        code = column % 8 < 4 ? both & 15 : both >> 4;
    } else {
        code = codes[column / 4 * 64 + lane * 4 + column % 4];
    }
    const u16 *pairs = (const u16 *)heads;
    if (form == EIGHT) return half_of(pairs[group * COLUMNS + lane]) * (float)(code - 128);
    if (form == PAIRS4 || form == PAIRS8) {
        int pair = group * 2 * COLUMNS + lane;
        return half_of(pairs[pair]) * (float)code + half_of(pairs[pair + COLUMNS]);
    }
    if (form == SIX) {
        const u8 *head = heads + (i64)block * (2 * COLUMNS + 2 * GROUPS * COLUMNS);
        signed char scale = (signed char)head[2 * COLUMNS + column % BLOCK / 16 * COLUMNS + lane];
        return half_of(((const u16 *)head)[lane]) * (float)scale * (float)(code - 32);
    }
    const u8 *head = heads + (i64)block * (4 * COLUMNS + 2 * GROUPS * COLUMNS);
    const u8 *small = head + 4 * COLUMNS + group % GROUPS * COLUMNS + lane;
    float least = half_of(((const u16 *)head)[COLUMNS + lane]) * (float)small[GROUPS * COLUMNS];
    return half_of(((const u16 *)head)[lane]) * (float)small[0] * (float)code - least;
}

// The rows of a matrix that are named.
extern "C" __global__ void embed(int form, const u8 *codes, const u8 *heads, i64 code_strip, i64 head_strip,
    const int *tokens, float *out, int width, i64 count) {
    EACH(t) {
        i64 i = (i64)blockIdx.x * blockDim.x + t;
        if (i < count) {
            int row = tokens[i / width], strip = row / COLUMNS;
            out[i] = weight_at(form, codes + strip * code_strip, heads + strip * head_strip, row % COLUMNS,
                (int)(i % width));
        }
    }
}
