/* Unit tests of ZIP archives written front to back, read again by libzip: contents, ZIP64 by place and by number. */
#include "base/file/pack.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <zip.h>

static const msec WHEN = 1780000000000;

/* The archive behind `before` bytes of nothing, as libzip reads it. */
static zip_t *opened(const struct buf *b, uint64_t before)
{
    FILE *file = tmpfile();
    int why;
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), (off_t)before), 0);
    assert_int_equal(pwrite(fileno(file), b->p, b->n, (off_t)before), (ssize_t)b->n);
    zip_t *z = zip_fdopen(dup(fileno(file)), 0, &why);
    fclose(file);
    assert_non_null(z);
    return z;
}

static void assert_holds(zip_t *z, const char *name, text content)
{
    zip_stat_t st;
    assert_int_equal(zip_stat(z, name, 0, &st), 0);
    assert_int_equal(st.size, content.n);
    char *p = malloc(content.n + 1);
    zip_file_t *in = zip_fopen(z, name, 0);
    assert_non_null(in);
    assert_int_equal(zip_fread(in, p, content.n + 1), (zip_int64_t)content.n);
    assert_memory_equal(p, content.p, content.n);
    assert_int_equal(zip_fclose(in), 0);
    free(p);
}

static void contents_come_back(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    BUF_AUTO b = buf_make(8 << 20);
    PACK_AUTO z;
    char *noise = malloc(300000);
    for (size_t i = 0, x = 1; i < 300000; i++)
        noise[i] = (char)((x = x * 6364136223846793005u + 1442695040888963407u) >> 33);
    pack_begin(&z, &a, 0, WHEN);
    assert_int_equal(pack_file(&z, &b, TEXT("empty"), true, TEXT("")), OK);
    assert_int_equal(pack_file(&z, &b, TEXT("dossier/été.txt"), true, TEXT("bonjour")), OK);
    assert_int_equal(pack_open(&z, &b, TEXT("noise.bin"), false), OK);
    for (size_t i = 0; i < 300000; i += 65536)
        assert_int_equal(pack_add(&z, &b, text_upto((text){ noise + i, 300000 - i }, 65536)), OK);
    assert_int_equal(pack_close(&z, &b), OK);
    assert_int_equal(pack_end(&z, &b), OK);
    assert_int_equal(z.at, b.n);
    zip_t *read = opened(&b, 0);
    assert_int_equal(zip_get_num_entries(read, 0), 3);
    assert_holds(read, "empty", TEXT(""));
    assert_holds(read, "dossier/été.txt", TEXT("bonjour"));
    assert_holds(read, "noise.bin", (text){ noise, 300000 });
    zip_discard(read);
    free(noise);
}

/* On both sides of the 4 GiB that a plain place can tell. */
static void beyond_four_gigabytes(void **state)
{
    static const uint64_t before[] = { (uint64_t)UINT32_MAX - 40, UINT32_MAX, (uint64_t)5 << 30 };
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        ARENA_AUTO a = arena_make(1 << 20);
        BUF_AUTO b = buf_make(1 << 20);
        PACK_AUTO z;
        pack_begin(&z, &a, before[i], WHEN);
        assert_int_equal(pack_file(&z, &b, TEXT("one"), true, TEXT("first")), OK);
        assert_int_equal(pack_file(&z, &b, TEXT("two"), false, TEXT("second")), OK);
        assert_int_equal(pack_end(&z, &b), OK);
        zip_t *read = opened(&b, before[i]);
        assert_holds(read, "one", TEXT("first"));
        assert_holds(read, "two", TEXT("second"));
        zip_discard(read);
    }
}

static void more_files_than_two_bytes_count(void **state)
{
    enum { FILES = 70000 };
    ARENA_AUTO a = arena_make(64 << 20);
    BUF_AUTO b = buf_make(64 << 20);
    PACK_AUTO z;
    char name[32];
    pack_begin(&z, &a, 0, WHEN);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "f%d", i);
        assert_int_equal(pack_file(&z, &b, text_of(name), false, text_of(name)), OK);
    }
    assert_int_equal(pack_end(&z, &b), OK);
    zip_t *read = opened(&b, 0);
    assert_int_equal(zip_get_num_entries(read, 0), FILES);
    assert_holds(read, "f69999", TEXT("f69999"));
    zip_discard(read);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(contents_come_back), cmocka_unit_test(beyond_four_gigabytes),
                                        cmocka_unit_test(more_files_than_two_bytes_count) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
