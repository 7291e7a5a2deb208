/* Crops, turns and recolours training pictures, four values of a pixel at a time.

   hatch_build.py compiles it where there is a compiler, and crops.py calls it. The method is that of
   torch's grid_sample: bilinear, what lies beyond the picture is its reflection (where that ends, its
   edge), and corners are those of pixels, not their centres. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The loader takes the version that fits the processor. */
#if defined(__x86_64__) && defined(__GLIBC__)
#define FOR_THE_PROCESSOR __attribute__((target_clones("avx2", "default")))
#else
#define FOR_THE_PROCESSOR
#endif
/* Two pixels of three bytes, as two of four. */
#if defined(__clang__) || __GNUC__ >= 12
#define APART(six) __builtin_shufflevector(six, six, 0, 1, 2, 2, 3, 4, 5, 5)
#else
#define APART(six) __builtin_shuffle(six, (bytes){0, 1, 2, 2, 3, 4, 5, 5})
#endif
#define INLINE static inline __attribute__((always_inline))

enum {
    RGB = 3,         /* bytes of a pixel, and values of one that was cropped */
    PIXEL = 4,       /* values that are computed at a time, of which the last means nothing */
    PAIR = 2 * PIXEL,
    MAP = 6,         /* values of an affine map */
    COLOURS = RGB * 4
};

typedef uint8_t bytes __attribute__((vector_size(PAIR)));
typedef int32_t whole_pair __attribute__((vector_size(4 * PAIR)));
typedef float pair __attribute__((vector_size(4 * PAIR)));
typedef float pixel __attribute__((vector_size(4 * PIXEL)));
typedef int32_t mask __attribute__((vector_size(4 * PIXEL)));

/* Where the values of a row of the crop come from. */
typedef struct {
    int32_t *offset;  /* of the upper left one of four pixels, in bytes */
    float *right, *low;  /* how much of the right ones, and of the lower ones */
} places;

/* A place within [0, length - 1], of one that may lie beyond; also of what is no number. */
INLINE float reflected(float at, float length) {
    float edge = length - 0.5f;
    at = edge - __builtin_fabsf(edge - (__builtin_fabsf(at + 0.5f) - 0.5f));
    at = at > 0.0f ? at : 0.0f;
    return at < length - 1.0f ? at : length - 1.0f;
}

/* Where the map puts the first place of a row, in pixels of an axis `length` long. */
INLINE float begins(const float *map, float across, float down, int32_t length) {
    return ((map[0] * across + map[1] * down + map[2] + 1.0f) * length - 1.0f) / 2.0f;
}

INLINE void place_row(places to, const float *map, int32_t y, int32_t size, int32_t height,
                      int32_t width) {
    float across = 1.0f / size - 1.0f, down = (2.0f * y + 1.0f) / size - 1.0f;
    float x_first = begins(map, across, down, width), x_step = map[0] * width / size;
    float y_first = begins(map + 3, across, down, height), y_step = map[3] * height / size;
    for (int32_t x = 0; x < size; x++) {
        float at_x = reflected(x_first + x_step * x, width);
        float at_y = reflected(y_first + y_step * x, height);
        int32_t left = (int32_t)at_x, top = (int32_t)at_y;
        left = left < width - 2 ? left : width - 2;
        top = top < height - 2 ? top : height - 2;
        to.offset[x] = RGB * (width * top + left);
        to.right[x] = at_x - left;
        to.low[x] = at_y - top;
    }
}

/* Two neighbours in a row. */
INLINE pair read_pair(const uint8_t *at, const uint8_t *end) {
    bytes read = {0};
    if (at + PAIR <= end)
        memcpy(&read, at, PAIR);
    else
        memcpy(&read, at, 2 * RGB);
    read = APART(read);
    int32_t each[PAIR];
    for (int i = 0; i < PAIR; i++) each[i] = read[i];
    whole_pair all;
    memcpy(&all, each, sizeof all);
    return __builtin_convertvector(all, pair);
}

/* A row of the crop, in [0, 255], and its sum. */
INLINE pixel sample_row(const uint8_t *pixels, const uint8_t *end, int32_t width, places from,
                        int32_t size, float *row) {
    pixel sum = {0};
    for (int32_t x = 0; x < size; x++) {
        const uint8_t *at = pixels + from.offset[x];
        pair upper = read_pair(at, end), lower = read_pair(at + RGB * width, end);
        pair both = upper + (lower - upper) * from.low[x];
        pixel left, right;
        memcpy(&left, &both, sizeof left);
        memcpy(&right, (float *)&both + PIXEL, sizeof right);
        pixel value = left + (right - left) * from.right[x];
        sum += value;
        memcpy(row + RGB * x, &value, RGB * sizeof(float));
    }
    return sum;
}

INLINE pixel chosen(mask which, pixel these, pixel others) {
    return (pixel)((which & (mask)these) | (~which & (mask)others));
}

/* Values within [0, 1]; also of what is no number. */
INLINE pixel within(pixel value) {
    pixel zero = {0}, one = {1, 1, 1, 1};
    value = chosen(value > zero, value, zero);
    return chosen(value < one, value, one);
}

/* One column of the 3 × 4 numbers that recolour, for values in [0, 1]. */
INLINE pixel column(const float *colours, int place) {
    return (pixel){colours[place], colours[4 + place], colours[8 + place], 0};
}

/* Values in [0, 255] become values in [0, 1]. */
INLINE void recolour(float *values, ptrdiff_t count, float mean, const float *colours) {
    pixel red = column(colours, 0) / 255.0f, green = column(colours, 1) / 255.0f;
    pixel blue = column(colours, 2) / 255.0f, shift = column(colours, 3) * mean / 255.0f;
    for (float *each = values; each < values + RGB * count; each += RGB) {
        pixel value = within(red * each[0] + green * each[1] + blue * each[2] + shift);
        memcpy(each, &value, RGB * sizeof(float));
    }
}

FOR_THE_PROCESSOR
static void crop(const uint8_t *pixels, int32_t height, int32_t width, const float *map,
                 const float *colours, int32_t size, places room, float *out) {
    const uint8_t *end = pixels + (ptrdiff_t)RGB * height * width;
    float total = 0;
    for (int32_t y = 0; y < size; y++) {
        place_row(room, map, y, size, height, width);
        pixel sum = sample_row(pixels, end, width, room, size, out + (ptrdiff_t)RGB * size * y);
        total += sum[0] + sum[1] + sum[2];
    }
    recolour(out, (ptrdiff_t)size * size, total / RGB / size / size, colours);
}

/* `pixels`: uint8 [M, height, width, 3], both at least 2, each picture of less than 2 GB; `rows`: int64
   [count], in [0, M); `maps`: float32 [count, 2, 3]; `colours`: float32 [count, 3, 4], a matrix, and
   which part of the crop's mean is added; `out`: float32 [count, size, size, 3], in [0, 1]. Gives 0,
   or 1 where there is no memory. */
int pawsight_crop(const uint8_t *pixels, int32_t height, int32_t width, const int64_t *rows,
                  int32_t count, const float *maps, const float *colours, int32_t size, float *out) {
    float *room = malloc(3 * sizeof(float) * size);
    if (!room) return 1;
    places row = {(int32_t *)room, room + size, room + 2 * size};
    for (int32_t i = 0; i < count; i++)
        crop(pixels + (ptrdiff_t)RGB * height * width * rows[i], height, width, maps + MAP * i,
             colours + COLOURS * i, size, row, out + (ptrdiff_t)RGB * size * size * i);
    free(room);
    return 0;
}
