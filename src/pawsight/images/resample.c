/* Resizes RGB pictures as Pillow does, to the bit, eight values at a time.

   hatch_build.py compiles it where there is a compiler, and resample.py calls it. The method is that
   of Pillow's Resample.c: across and down, one after the other, each value the sum of those around
   it, with weights in fixed point, rounded to 8 bits after each of the two. What is summed at a time
   lies side by side, so that compilers make wide instructions of it: across, eight rows are turned
   for that first. */

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
#define INLINE static inline __attribute__((always_inline))

enum {
    BITS = 22,  /* of a weight's fraction */
    RGB = 3,    /* bytes of a pixel, and */
    PIXEL = 4,  /* as Pillow keeps it */
    ROWS = 8,  /* that are turned at a time */
    WIDE = PIXEL * ROWS,  /* values that are summed at a time, */
    LANES = 8,  /* so many by one instruction */
    PARTS = WIDE / LANES
};

typedef int32_t lanes __attribute__((vector_size(4 * LANES)));

/* What one place takes of an axis: `count` values from `first` on, by as many weights. */
typedef struct {
    int32_t first, count;
    const int32_t *weights;
} share;

INLINE share share_of(const int32_t *axis, int32_t columns, ptrdiff_t place) {
    const int32_t *row = axis + columns * place;
    return (share){row[0], row[1], row + 2};
}

INLINE lanes widened(const uint8_t *from) {
    int32_t each[LANES];
    for (int i = 0; i < LANES; i++) each[i] = from[i];
    lanes all;
    memcpy(&all, each, sizeof all);
    return all;
}

/* WIDE sums of values that lie `step` bytes apart, rounded to 8 bits. */
INLINE void summed(const uint8_t *from, ptrdiff_t step, share of, uint8_t *to) {
    lanes sums[PARTS];
    for (int i = 0; i < PARTS; i++) sums[i] = (lanes){0} + (1 << (BITS - 1));
    for (int32_t k = 0; k < of.count; k++, from += step)
        for (int i = 0; i < PARTS; i++) sums[i] += widened(from + LANES * i) * of.weights[k];
    int32_t all[WIDE];
    memcpy(all, sums, sizeof all);
    for (int i = 0; i < WIDE; i++) {
        int32_t value = all[i] >> BITS;
        value = value < 0 ? 0 : value;
        to[i] = (uint8_t)(value > 255 ? 255 : value);
    }
}

/* A pixel of RGB, with its fourth byte where the pixels that it stands among have one. */
INLINE void put(uint8_t *to, const uint8_t *pixel, int bytes) {
    if (bytes == PIXEL)
        memcpy(to, pixel, PIXEL);
    else
        memcpy(to, pixel, RGB);
}

/* Of `rows` rows of `width` pixels, rows of `out_width`. `turned` has room for ROWS × `width`. */
FOR_THE_PROCESSOR
static void resize_across(const uint8_t *pixels, ptrdiff_t width, int32_t rows, const int32_t *axis,
                          int32_t columns, ptrdiff_t out_width, uint8_t *turned, uint8_t *out,
                          int bytes) {
    for (int32_t top = 0; top < rows; top += ROWS) {
        int32_t high = rows - top < ROWS ? rows - top : ROWS;
        for (int32_t r = 0; r < high; r++)
            for (ptrdiff_t x = 0; x < width; x++)
                memcpy(turned + WIDE * x + PIXEL * r, pixels + PIXEL * (width * (top + r) + x), PIXEL);
        for (ptrdiff_t x = 0; x < out_width; x++) {
            share of = share_of(axis, columns, x);
            uint8_t done[WIDE];
            summed(turned + (ptrdiff_t)WIDE * of.first, WIDE, of, done);
            for (int32_t r = 0; r < high; r++)
                put(out + bytes * (out_width * (top + r) + x), done + PIXEL * r, bytes);
        }
    }
}

/* Of rows of at least ROWS pixels, from row `top` of the picture on, `out_height` rows. */
FOR_THE_PROCESSOR
static void resize_down(const uint8_t *pixels, ptrdiff_t width, int32_t top, const int32_t *axis,
                        int32_t columns, int32_t out_height, uint8_t *out, int bytes) {
    for (int32_t y = 0; y < out_height; y++) {
        share of = share_of(axis, columns, y);
        const uint8_t *row = pixels + PIXEL * width * (of.first - top);
        for (ptrdiff_t next = 0; next < width; next += ROWS) {
            ptrdiff_t x = next < width - ROWS ? next : width - ROWS;
            uint8_t done[WIDE];
            summed(row + PIXEL * x, PIXEL * width, of, done);
            for (int p = 0; p < ROWS; p++)
                put(out + bytes * (width * y + x + p), done + PIXEL * p, bytes);
        }
    }
}

/* `pixels`: uint8 [height, width, 4]; `across`: int32 [out_width, across_columns], of each place its
   first value, how many it takes, and their weights; `down`: int32 [out_height, down_columns], the
   same; `out`: uint8 [out_height, out_width, 3]. What is resized down, the picture where that is done
   first or else what comes of it, is at least ROWS pixels wide. Gives 0, or 1 where there is no
   memory. */
int pawsight_resize(const uint8_t *pixels, int32_t width, int32_t down_first, const int32_t *across,
                    int32_t across_columns, int32_t out_width, const int32_t *down,
                    int32_t down_columns, int32_t out_height, uint8_t *out) {
    share last = share_of(down, down_columns, out_height - 1);
    int32_t top = down[0], rows = last.first + last.count - top;
    size_t turned = (size_t)WIDE * width;
    size_t between = PIXEL * (down_first ? (size_t)width * out_height : (size_t)out_width * rows);
    uint8_t *room = malloc(turned + between);
    if (!room) return 1;
    uint8_t *half = room + turned;
    pixels += (ptrdiff_t)PIXEL * width * top;
    if (down_first) {
        resize_down(pixels, width, top, down, down_columns, out_height, half, PIXEL);
        resize_across(half, width, out_height, across, across_columns, out_width, room, out, RGB);
    } else {
        resize_across(pixels, width, rows, across, across_columns, out_width, room, half, PIXEL);
        resize_down(half, out_width, top, down, down_columns, out_height, out, RGB);
    }
    free(room);
    return 0;
}
