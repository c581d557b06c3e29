/* Unit tests of crypt: published vectors, every bit flip, every proof of small trees, the master key's file. */
#include "base/buf.h"
#include "base/decode.h"
#include "crypt/keyring.h"
#include "crypt/note.h"
#include "crypt/seal.h"
#include "crypt/tree.h"
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <cmocka.h>
#include "built.h"

static int start(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    return crypt_init(&a) == OK ? 0 : -1;
}

static text hex(struct arena *a, const char *digits)
{
    text in = text_of(digits);
    uint8_t *out = arena_alloc(a, in.n / 2 + 1);
    assert_true(decode_hex(in, out, in.n / 2));
    return (text){ (char *)out, in.n / 2 };
}

static struct hash hash_of(const char *digits)
{
    struct hash h;
    assert_true(decode_hex(text_of(digits), h.b, sizeof h.b));
    return h;
}

static struct key key_of(const char *digits)
{
    struct key k;
    assert_true(decode_hex(text_of(digits), k.b, sizeof k.b));
    return k;
}

/* ---- Sealing. ---- */

static const struct place HERE = { TEXT_INIT("site-fr"), { { 1, 2, 3 } }, TEXT_INIT("contact"), TEXT_INIT("email"), 7 };

static void seal_opens(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    KEY_AUTO k;
    sealed one, two;
    text clear;
    key_make(&k);
    text values[] = { TEXT(""), TEXT("x"), TEXT("ada@example.org"), { NULL, 0 } };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_int_equal(seal(&a, &k, &HERE, values[i], &one), OK);
        assert_int_equal(one.bytes.n, values[i].n + SEAL_OVERHEAD);
        assert_int_equal(seal_open(&a, &k, &HERE, one, &clear), OK);
        assert_non_null(clear.p);
        assert_true(text_eq(clear, values[i]));
    }
    assert_int_equal(seal(&a, &k, &HERE, TEXT("same"), &one), OK);
    assert_int_equal(seal(&a, &k, &HERE, TEXT("same"), &two), OK);
    assert_false(text_eq(one.bytes, two.bytes));
    assert_int_equal(text_find(one.bytes, TEXT("same")), -1);
}

static void seal_refuses_elsewhere(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    KEY_AUTO k;
    sealed s;
    text clear;
    key_make(&k);
    assert_int_equal(seal(&a, &k, &HERE, TEXT("ada@example.org"), &s), OK);
    struct place others[] = { HERE, HERE, HERE, HERE, HERE, HERE };
    others[0].tenant = TEXT("site-f");
    others[1].subject.b[15] = 1;
    others[2].table = TEXT("identity");
    others[3].field = TEXT("phone");
    others[4].version++;
    others[5].table = TEXT("contacte");
    others[5].field = TEXT("mail"); /* the same letters, cut elsewhere */
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(seal_open(&a, &k, &others[i], s, &clear), ERR_CRYPT);
    char name[256] = { 0 };
    struct place long_name = HERE;
    long_name.field = (text){ name, sizeof name };
    assert_int_equal(seal(&a, &k, &long_name, TEXT("x"), &s), ERR_VALUE);
    long_name.field.n--;
    sealed other_place;
    assert_int_equal(seal(&a, &k, &long_name, TEXT("x"), &other_place), OK);
    assert_int_equal(seal_open(&a, &k, &long_name, other_place, &clear), OK);
    KEY_AUTO other = k;
    other.b[31] ^= 1;
    assert_int_equal(seal_open(&a, &other, &HERE, s, &clear), ERR_CRYPT);
    assert_int_equal(seal_open(&a, &k, &HERE, s, &clear), OK);
}

static void seal_refuses_altered(void **state)
{
    ARENA_AUTO a = arena_make(1 << 22);
    KEY_AUTO k;
    sealed s;
    text clear;
    key_make(&k);
    assert_int_equal(seal(&a, &k, &HERE, TEXT("ada@example.org"), &s), OK);
    char *copy = arena_alloc(&a, s.bytes.n + 1);
    for (size_t bit = 0; bit < s.bytes.n * 8; bit++) {
        memcpy(copy, s.bytes.p, s.bytes.n);
        copy[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(seal_open(&a, &k, &HERE, (sealed){ { copy, s.bytes.n } }, &clear), ERR_CRYPT);
    }
    memcpy(copy, s.bytes.p, s.bytes.n);
    for (size_t n = 0; n < s.bytes.n; n++)
        assert_int_equal(seal_open(&a, &k, &HERE, (sealed){ { copy, n } }, &clear), ERR_CRYPT);
    assert_int_equal(seal_open(&a, &k, &HERE, (sealed){ { copy, s.bytes.n + 1 } }, &clear), ERR_CRYPT);
    assert_int_equal(seal_open(&a, &k, &HERE, (sealed){ { copy, s.bytes.n } }, &clear), OK);
}

static void derivation(void **state)
{
    struct key parent = key_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), one, two;
    key_derive(&parent, TEXT("contact"), &one);
    /* hashlib.blake2b(bytes([7]+[0]*7)+b"contact", digest_size=32, key=bytes(range(32)), person=b"garant.derive.v1") */
    struct key expected = key_of("873ceb21cd324acbb25adef5dd34bf470cedb935b6c19b640033e5998107817b");
    assert_memory_equal(one.b, expected.b, sizeof one.b);
    key_derive(&parent, TEXT("identity"), &two);
    assert_memory_not_equal(one.b, two.b, sizeof one.b);
    key_derive(&two, TEXT("contact"), &two);
    assert_memory_not_equal(one.b, two.b, sizeof one.b);

    struct digest d, e;
    digest_identifier(&parent, TEXT("site-fr"), TEXT("email"), TEXT("ada@example.org"), &d);
    expected = key_of("c7071aac0a070ddaa829e5995b56608fa6b319fbedc2eff6f73881089391adba");
    assert_memory_equal(d.b, expected.b, sizeof d.b);
    digest_identifier(&parent, TEXT("site-f"), TEXT("remail"), TEXT("ada@example.org"), &e);
    assert_memory_not_equal(d.b, e.b, sizeof d.b);
}

/* ---- Keyring. ---- */

static text wrapped_text(const uint8_t *w) { return (text){ (const char *)w, WRAPPED_KEY }; }

static void folder_make(char folder[64])
{
    snprintf(folder, 64, "/tmp/garant-crypt-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static void wrapping(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    struct master m = { .id = 0x01020304 };
    struct subject_id who = { { 9 } }, other = { { 8 } };
    KEY_AUTO k;
    KEY_AUTO back;
    uint8_t w[WRAPPED_KEY];
    key_make(&m.key);
    key_make(&k);
    key_wrap(&m, TEXT("t"), who, 1, &k, w);
    assert_int_equal(key_unwrap(&a, &m, TEXT("t"), who, 1, wrapped_text(w), &back), OK);
    assert_memory_equal(k.b, back.b, sizeof k.b);
    assert_int_equal(key_unwrap(&a, &m, TEXT("u"), who, 1, wrapped_text(w), &back), ERR_CRYPT);
    assert_true(sodium_is_zero(back.b, sizeof back.b));
    assert_int_equal(key_unwrap(&a, &m, TEXT("t"), other, 1, wrapped_text(w), &back), ERR_CRYPT);
    assert_int_equal(key_unwrap(&a, &m, TEXT("t"), who, 2, wrapped_text(w), &back), ERR_CRYPT);
    assert_int_equal(key_unwrap(&a, &m, TEXT("t"), who, 1, text_upto(wrapped_text(w), WRAPPED_KEY - 1), &back),
                     ERR_CRYPT);
    for (size_t bit = 0; bit < sizeof w * 8; bit++) {
        w[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(key_unwrap(&a, &m, TEXT("t"), who, 1, wrapped_text(w), &back), ERR_CRYPT);
        w[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(key_unwrap(&a, &m, TEXT("t"), who, 1, wrapped_text(w), &back), OK);
}

static void rotation(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    char folder[64], first_path[80], second_path[80];
    folder_make(folder);
    snprintf(first_path, sizeof first_path, "%s/1", folder);
    snprintf(second_path, sizeof second_path, "%s/2", folder);
    MASTER_AUTO first;
    MASTER_AUTO second;
    KEY_AUTO k;
    KEY_AUTO back;
    struct subject_id who = { { 9 } };
    uint8_t w[WRAPPED_KEY];
    assert_int_equal(master_create(&a, first_path, &first), OK);
    assert_int_equal(master_create(&a, second_path, &second), OK);
    assert_true(first.id != second.id);
    key_make(&k);
    key_wrap(&first, TEXT("t"), who, 1, &k, w);
    assert_true(key_wrap_current(&first, wrapped_text(w)));
    assert_false(key_wrap_current(&second, wrapped_text(w)));
    assert_int_equal(key_unwrap(&a, &second, TEXT("t"), who, 1, wrapped_text(w), &back), ERR_CRYPT);
    master_follow(&second, &first);
    assert_int_equal(key_unwrap(&a, &second, TEXT("t"), who, 1, wrapped_text(w), &back), OK);
    assert_memory_equal(k.b, back.b, sizeof k.b);
    key_wrap(&second, TEXT("t"), who, 1, &back, w);
    assert_true(key_wrap_current(&second, wrapped_text(w)));
    assert_false(key_wrap_current(&second, TEXT("")));
    assert_int_equal(key_unwrap(&a, &first, TEXT("t"), who, 1, wrapped_text(w), &back), ERR_CRYPT);
    unlink(first_path);
    unlink(second_path);
    rmdir(folder);
}

static void write_text(const char *path, text content, mode_t mode)
{
    unlink(path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(content.p, 1, content.n, f), content.n);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

#define HEX32 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void master_file(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    char folder[64], path[80], linked[80];
    folder_make(folder);
    snprintf(path, sizeof path, "%s/master", folder);
    snprintf(linked, sizeof linked, "%s/link", folder);
    MASTER_AUTO made;
    MASTER_AUTO m;
    struct stat st;
    assert_int_equal(master_read(&a, path, &m), ERR_CONFIG);
    assert_int_equal(master_create(&a, path, &made), OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(st.st_size, 65);
    assert_int_equal(master_read(&a, path, &m), OK);
    assert_int_equal(m.id, made.id);
    assert_memory_equal(m.key.b, made.key.b, sizeof m.key.b);
    assert_int_equal(master_create(&a, path, &m), ERR_CONFIG); /* never over an existing one */
    assert_int_equal(master_read(&a, path, &m), OK);
    assert_memory_equal(m.key.b, made.key.b, sizeof m.key.b);

    assert_int_equal(symlink(path, linked), 0);
    assert_int_equal(master_read(&a, linked, &m), ERR_CONFIG);
    assert_true(text_find(text_of(a.why.detail), TEXT("symbolic link")) >= 0);
    assert_int_equal(master_create(&a, linked, &m), ERR_CONFIG);
    unlink(linked);
    assert_int_equal(symlink("nowhere", linked), 0);
    assert_int_equal(master_create(&a, linked, &m), ERR_CONFIG);
    assert_int_equal(master_read(&a, folder, &m), ERR_CONFIG);
    assert_int_equal(mkfifo(linked, 0600), -1);

    mode_t open_modes[] = { 0640, 0620, 0610, 0604, 0602, 0601, 0644, 0777 };
    for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++) {
        write_text(path, TEXT(HEX32 "\n"), open_modes[i]);
        assert_int_equal(master_read(&a, path, &m), ERR_CONFIG);
        assert_true(sodium_is_zero((const uint8_t *)&m, sizeof m));
    }
    write_text(path, TEXT(HEX32 "\n"), 0400);
    assert_int_equal(master_read(&a, path, &m), OK);
    text bad[] = { TEXT(""),          TEXT("\n"),
                   TEXT(HEX32),       TEXT(HEX32 "\n\n"),
                   TEXT(HEX32 "0\n"), TEXT(HEX32 " "),
                   TEXT("g" HEX32),   TEXT("0000000000000000000000000000000000000000000000000000000000000000\n") };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_text(path, bad[i], 0600);
        assert_int_equal(master_read(&a, path, &m), ERR_CONFIG);
        assert_int_equal(text_find(text_of(a.why.detail), TEXT("00112233")), -1);
    }
    unlink(linked);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(master_read(&a, path, &m), ERR_CONFIG);
    unlink(path);
    assert_int_equal(rmdir(folder), 0); /* nothing else was left there */
}

/* An access list that lets `user` and, with `group_may`, the file's group read. */
static void list_set(const char *path, uint32_t user, uint16_t group_may)
{
    struct {
        struct posix_acl_xattr_header head;
        struct posix_acl_xattr_entry entries[5];
    } list = { { POSIX_ACL_XATTR_VERSION },
               { { ACL_USER_OBJ, ACL_READ, UINT32_MAX },
                 { ACL_USER, ACL_READ, user },
                 { ACL_GROUP_OBJ, group_may, UINT32_MAX },
                 { ACL_MASK, ACL_READ, UINT32_MAX },
                 { ACL_OTHER, 0, UINT32_MAX } } };
    assert_int_equal(setxattr(path, "system.posix_acl_access", &list, sizeof list, 0), 0);
}

/* systemd gives a service its credential with a list: the mode then reads 0440, and yet no group may read it. */
static void master_credential(void **state)
{
    ARENA_AUTO a = arena_make(1 << 16);
    MASTER_AUTO m;
    struct stat st;
    char folder[64], path[80];
    folder_make(folder);
    snprintf(path, sizeof path, "%s/master", folder);
    write_text(path, TEXT(HEX32 "\n"), 0400);
    list_set(path, geteuid(), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0440);
    assert_int_equal(master_read(&a, path, &m), OK);
    list_set(path, geteuid(), ACL_READ);
    assert_int_equal(master_read(&a, path, &m), ERR_CONFIG);
    list_set(path, geteuid() + 1, 0);
    assert_int_equal(master_read(&a, path, &m), ERR_CONFIG);
    unlink(path);
    rmdir(folder);
}

/* ---- Tree. ---- */

/* Inputs, roots and proofs of certificate-transparency's merkle tests. */
static const char *const INPUTS[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
};
static const char *const ROOTS[] = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};
#define H96A2 "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
#define H5F08 "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
#define H6B47 "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
#define HBC1A "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
#define HCA85 "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
#define HD37E "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
#define H0EBC "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
#define HFAC5 "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
#define H6E34 "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"

enum { MOST = 130 };
struct forest {
    struct hash leaves[MOST];
    unsigned reads;
};

/* The plain recursion of RFC 6962 §2.1, to check the growing tree and the proofs against. */
static struct hash plain_root(const struct hash *leaves, size_t n)
{
    if (n == 1)
        return leaves[0];
    size_t k = 1;
    while (k * 2 < n)
        k *= 2;
    return tree_node(plain_root(leaves, k), plain_root(leaves + k, n - k));
}

static enum err forest_read(void *from, unsigned level, uint64_t index, struct hash *out)
{
    struct forest *f = from;
    uint64_t at = index << level, width = (uint64_t)1 << level;
    f->reads++;
    assert_true(at + width <= MOST);
    *out = plain_root(f->leaves + at, width);
    return OK;
}

static void vectors_leaves(struct forest *f)
{
    ARENA_AUTO a = arena_make(1 << 16);
    *f = (struct forest){ 0 };
    for (size_t i = 0; i < 8; i++)
        f->leaves[i] = tree_leaf(hex(&a, INPUTS[i]));
}

static void tree_vectors(void **state)
{
    struct forest f;
    struct tree t = { 0 };
    vectors_leaves(&f);
    assert_true(hash_eq(tree_root(&t), hash_of("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")));
    for (size_t i = 0; i < 8; i++) {
        tree_add(&t, f.leaves[i]);
        assert_true(hash_eq(tree_root(&t), hash_of(ROOTS[i])));
        assert_int_equal(t.size, i + 1);
    }
}

static void assert_proof(const struct tree_proof *p, const char *const expected[3])
{
    unsigned count = 0;
    while (count < 3 && expected[count])
        count++;
    assert_int_equal(p->count, count);
    for (unsigned i = 0; i < count; i++)
        assert_true(hash_eq(p->path[i], hash_of(expected[i])));
}

static void proof_vectors(void **state)
{
    static const struct {
        uint64_t index, size;
        const char *path[3];
    } inclusion[] = {
        { 0, 1, { NULL } }, { 0, 8, { H96A2, H5F08, H6B47 } }, { 5, 8, { HBC1A, HCA85, HD37E } },
        { 2, 3, { HFAC5 } }, { 1, 5, { H6E34, H5F08, HBC1A } },
    }, consistency[] = {
        { 1, 1, { NULL } }, { 1, 8, { H96A2, H5F08, H6B47 } }, { 6, 8, { H0EBC, HCA85, HD37E } }, { 2, 5, { H5F08, HBC1A } },
    };
    ARENA_AUTO a = arena_make(1 << 16);
    struct forest f;
    struct tree_proof p;
    vectors_leaves(&f);
    for (size_t i = 0; i < sizeof inclusion / sizeof *inclusion; i++) {
        assert_int_equal(tree_prove_inclusion(&a, forest_read, &f, inclusion[i].index, inclusion[i].size, &p), OK);
        assert_proof(&p, inclusion[i].path);
    }
    for (size_t i = 0; i < sizeof consistency / sizeof *consistency; i++) {
        assert_int_equal(tree_prove_consistency(&a, forest_read, &f, consistency[i].index, consistency[i].size, &p),
                         OK);
        assert_proof(&p, consistency[i].path);
    }
    assert_int_equal(tree_prove_inclusion(&a, forest_read, &f, 3, 3, &p), ERR_USAGE);
    assert_int_equal(tree_prove_consistency(&a, forest_read, &f, 4, 3, &p), ERR_USAGE);
}

static void forest_make(struct forest *f, struct hash roots[MOST + 1])
{
    struct tree t = { 0 };
    *f = (struct forest){ 0 };
    roots[0] = tree_root(&t);
    for (unsigned i = 0; i < MOST; i++) {
        f->leaves[i] = tree_leaf(TEXT_BYTES(i));
        tree_add(&t, f->leaves[i]);
        roots[i + 1] = tree_root(&t);
        assert_true(hash_eq(roots[i + 1], plain_root(f->leaves, i + 1)));
    }
}

/* A proof altered in any place must not hold any more. */
static void spoil(struct tree_proof *p, unsigned i) { p->path[i].b[i % 32] ^= 1; }

static void inclusion_all(void **state)
{
    ARENA_AUTO a = arena_make(1 << 16);
    struct forest f;
    struct hash roots[MOST + 1];
    struct tree_proof p;
    forest_make(&f, roots);
    for (uint64_t size = 1; size <= MOST; size++)
        for (uint64_t index = 0; index < size; index++) {
            struct hash leaf = f.leaves[index];
            assert_int_equal(tree_prove_inclusion(&a, forest_read, &f, index, size, &p), OK);
            assert_true(tree_check_inclusion(index, size, leaf, &p, roots[size]));
            assert_false(tree_check_inclusion(index, size, leaf, &p, roots[size - 1]));
            assert_false(tree_check_inclusion(index, size, roots[0], &p, roots[size]));
            if (size > 1)
                assert_false(tree_check_inclusion(index ? index - 1 : 1, size, leaf, &p, roots[size]));
            for (unsigned i = 0; i < p.count; i++) {
                spoil(&p, i);
                assert_false(tree_check_inclusion(index, size, leaf, &p, roots[size]));
                spoil(&p, i);
            }
            p.path[p.count++] = roots[0];
            assert_false(tree_check_inclusion(index, size, leaf, &p, roots[size]));
            if (p.count > 1) {
                p.count -= 2;
                assert_false(tree_check_inclusion(index, size, leaf, &p, roots[size]));
            }
        }
    p.count = 65;
    assert_false(tree_check_inclusion(0, UINT64_MAX, f.leaves[0], &p, roots[1]));
    assert_false(tree_check_inclusion(1, 1, f.leaves[0], &(struct tree_proof){ 0 }, roots[1]));
}

static void consistency_all(void **state)
{
    ARENA_AUTO a = arena_make(1 << 16);
    struct forest f;
    struct hash roots[MOST + 1];
    struct tree_proof p;
    forest_make(&f, roots);
    for (uint64_t size = 0; size <= MOST; size++)
        for (uint64_t old = 0; old <= size; old++) {
            assert_int_equal(tree_prove_consistency(&a, forest_read, &f, old, size, &p), OK);
            assert_true(tree_check_consistency(old, roots[old], size, roots[size], &p));
            assert_false(tree_check_consistency(old, f.leaves[7], size, roots[size], &p));
            if (old)
                assert_false(tree_check_consistency(old, roots[old], size, f.leaves[7], &p));
            if (old != size)
                assert_false(tree_check_consistency(size, roots[size], old, roots[old], &p));
            for (unsigned i = 0; i < p.count; i++) {
                spoil(&p, i);
                assert_false(tree_check_consistency(old, roots[old], size, roots[size], &p));
                spoil(&p, i);
            }
            p.path[p.count++] = roots[0];
            assert_false(tree_check_consistency(old, roots[old], size, roots[size], &p));
            if (p.count > 1) {
                p.count -= 2;
                assert_false(tree_check_consistency(old, roots[old], size, roots[size], &p));
            }
        }
}

/* Reads of a great tree: no more than its height, and shifts do not overflow. */
static enum err big_read(void *from, unsigned level, uint64_t index, struct hash *out)
{
    ++*(unsigned *)from;
    *out = (struct hash){ .b = { (uint8_t)level, (uint8_t)index } };
    return OK;
}

static void big_sizes(void **state)
{
    ARENA_AUTO a = arena_make(1 << 16);
    struct tree_proof p;
    unsigned reads = 0;
    assert_int_equal(tree_prove_inclusion(&a, big_read, &reads, 0, INT64_MAX, &p), OK);
    assert_int_equal(p.count, 63);
    assert_int_equal(tree_prove_consistency(&a, big_read, &reads, INT64_MAX - 1, INT64_MAX, &p), OK);
    assert_true(p.count <= 64);
    reads = 0;
    assert_int_equal(tree_prove_inclusion(&a, big_read, &reads, 123456789, 1000000000, &p), OK);
    assert_int_equal(p.count, 30);
    assert_true(reads <= 60);
    assert_int_equal(tree_prove_inclusion(&a, big_read, &reads, 0, UINT64_MAX, &p), ERR_USAGE);
}

/* ---- Notes and certificates. ---- */

static void ed25519_vectors(void **state)
{
    static const struct {
        const char *seed, *public_key, *message, *signature;
    } rfc8032[] = {
        { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
          "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
        { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
          "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
          "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
          "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
        { "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
          "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
          "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
          "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
    };
    for (size_t i = 0; i < sizeof rfc8032 / sizeof *rfc8032; i++) {
        ARENA_AUTO a = arena_make(1 << 16);
        SIGNER_AUTO s;
        struct key seed = key_of(rfc8032[i].seed);
        uint8_t signature[64];
        signer_make(TEXT("example.org"), &seed, &s);
        assert_memory_equal(s.public_key, hex(&a, rfc8032[i].public_key).p, 32);
        text message = hex(&a, rfc8032[i].message);
        assert_int_equal(crypto_sign_detached(signature, NULL, (const uint8_t *)message.p, message.n, s.secret), 0);
        assert_memory_equal(signature, hex(&a, rfc8032[i].signature).p, 64);
    }
}

#define NEUMANN "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define NEUMANN_TEXT                                                                                                   \
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
#define NEUMANN_LINE                                                                                                   \
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
#define EXAMPLE      "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define EXAMPLE_TEXT "This is an example message.\n"
#define EXAMPLE_LINE                                                                                                   \
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
#define ENOCH "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
#define ENOCH_LINE                                                                                                     \
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"

/* Notes made by Go's golang.org/x/mod/sumdb/note. */
static void note_vectors(void **state)
{
    static const struct {
        text verifier, note, body;
    } good[] = {
        { TEXT_INIT(NEUMANN), TEXT_INIT(NEUMANN_TEXT "\n" NEUMANN_LINE), TEXT_INIT(NEUMANN_TEXT) },
        { TEXT_INIT(NEUMANN), TEXT_INIT(NEUMANN_TEXT "\n" ENOCH_LINE NEUMANN_LINE), TEXT_INIT(NEUMANN_TEXT) },
        { TEXT_INIT(ENOCH), TEXT_INIT(NEUMANN_TEXT "\n" NEUMANN_LINE ENOCH_LINE), TEXT_INIT(NEUMANN_TEXT) },
        { TEXT_INIT(EXAMPLE), TEXT_INIT(EXAMPLE_TEXT "\n" EXAMPLE_LINE), TEXT_INIT(EXAMPLE_TEXT) },
    }, bad[] = {
        { TEXT_INIT(NEUMANN), TEXT_INIT(NEUMANN_TEXT "\n" ENOCH_LINE), TEXT_INIT("not signed by") },
        { TEXT_INIT(NEUMANN), TEXT_INIT("I" NEUMANN_TEXT "\n" NEUMANN_LINE), TEXT_INIT("does not hold") },
        { TEXT_INIT(NEUMANN), TEXT_INIT(NEUMANN_TEXT "\n" NEUMANN_LINE "x\n"), TEXT_INIT("malformed signature line") },
        { TEXT_INIT(NEUMANN), TEXT_INIT(NEUMANN_TEXT "\n" NEUMANN_LINE "— x y\n"), TEXT_INIT("base64") },
        { TEXT_INIT(NEUMANN), TEXT_INIT(NEUMANN_TEXT "\n" NEUMANN_LINE "— \t eA==\n"), TEXT_INIT("UTF-8") },
        { TEXT_INIT(NEUMANN), TEXT_INIT(NEUMANN_TEXT NEUMANN_LINE), TEXT_INIT("no signatures") },
        { TEXT_INIT(NEUMANN), TEXT_INIT(NEUMANN_TEXT "\n"), TEXT_INIT("not signed by") },
        { TEXT_INIT(NEUMANN), TEXT_INIT(""), TEXT_INIT("UTF-8") },
        { TEXT_INIT(NEUMANN), TEXT_INIT("\n"), TEXT_INIT("no signatures") },
        { TEXT_INIT(NEUMANN), TEXT_INIT("\xFF\n\n" NEUMANN_LINE), TEXT_INIT("UTF-8") },
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ARENA_AUTO a = arena_make(1 << 16);
        struct signer v;
        text body;
        assert_int_equal(signer_parse(&a, good[i].verifier, &v), OK);
        assert_true(text_eq(signer_verifier(&a, &v), good[i].verifier));
        assert_int_equal(note_open(&a, &v, good[i].note, &body), OK);
        assert_true(text_eq(body, good[i].body));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ARENA_AUTO a = arena_make(1 << 16);
        struct signer v;
        text body;
        assert_int_equal(signer_parse(&a, bad[i].verifier, &v), OK);
        assert_int_equal(note_open(&a, &v, bad[i].note, &body), ERR_INTEGRITY);
        assert_true(text_find(text_of(a.why.detail), bad[i].body) >= 0);
    }
}

static void verifiers(void **state)
{
    static const text bad[] = {
        TEXT_INIT(""),
        TEXT_INIT("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        TEXT_INIT("PeterNeumann+c74f20a+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        TEXT_INIT("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        TEXT_INIT("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        TEXT_INIT("PeterNeumann+c74f20a3+BRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        TEXT_INIT("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T"),
        TEXT_INIT("PeterNeumann+c74f20a3"),
        TEXT_INIT("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW+"),
    };
    ARENA_AUTO a = arena_make(1 << 16);
    struct signer v;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(signer_parse(&a, bad[i], &v), ERR_VALUE);
    assert_true(signer_name_valid(TEXT("garant.example/journal")));
    assert_true(signer_name_valid(TEXT("clé.example")));
    text names[] = { TEXT(""),
                     TEXT("a b"),
                     TEXT("a+b"),
                     TEXT("a\nb"),
                     TEXT("a\xC2\xA0"
                          "b"),
                     TEXT("a\xE2\x80\x83"),
                     TEXT("\xE3\x80\x80"),
                     TEXT("\xFF") };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_false(signer_name_valid(names[i]));
}

static void checkpoints(void **state)
{
    ARENA_AUTO a = arena_make(1 << 22);
    SIGNER_AUTO s;
    struct signer v;
    struct key seed = key_of("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    struct hash root = hash_of(HD37E), found;
    uint64_t size;
    signer_make(TEXT("garant.example/journal"), &seed, &s);
    assert_int_equal(signer_parse(&a, signer_verifier(&a, &s), &v), OK);
    text note = checkpoint_sign(&a, &s, 4, root);
    assert_true(text_starts(note, TEXT("garant.example/journal\n4\n"
                                       "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=\n\n— garant.example/journal ")));
    assert_int_equal(checkpoint_open(&a, &v, note, &size, &found), OK);
    assert_true(size == 4 && hash_eq(found, root));
    assert_int_equal(checkpoint_open(&a, &v, checkpoint_sign(&a, &s, INT64_MAX, root), &size, &found), OK);
    assert_true(size == INT64_MAX);
    char *copy = arena_alloc(&a, note.n);
    for (size_t bit = 0; bit < note.n * 8; bit++) {
        memcpy(copy, note.p, note.n);
        copy[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(checkpoint_open(&a, &v, (text){ copy, note.n }, &size, &found), ERR_INTEGRITY);
    }
    for (size_t n = 0; n < note.n; n++)
        assert_int_equal(checkpoint_open(&a, &v, text_upto(note, n), &size, &found), ERR_INTEGRITY);
    struct signer elsewhere = v;
    elsewhere.name = TEXT("other.example");
    assert_int_equal(checkpoint_open(&a, &elsewhere, note, &size, &found), ERR_INTEGRITY);
}

/* Well-signed notes that are no checkpoints. */
static void checkpoint_forms(void **state)
{
    static const struct {
        text body;
        bool good;
    } forms[] = {
        { TEXT_INIT("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), true },
        { TEXT_INIT("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nextension\n"), true },
        { TEXT_INIT("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\nextension\n"), false },
        { TEXT_INIT("o\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), false },
        { TEXT_INIT("o\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), false },
        { TEXT_INIT("o\n+1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), false },
        { TEXT_INIT("o\n99999999999999999999\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), false },
        { TEXT_INIT("o\n\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), false },
        { TEXT_INIT("p\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), false },
        { TEXT_INIT("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==\n"), false },
        { TEXT_INIT("o\n0\n"), false },
        { TEXT_INIT("o\n"), false },
    };
    struct key seed = { { 1 } };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        ARENA_AUTO a = arena_make(1 << 16);
        BUF_AUTO b = buf_make(4096);
        SIGNER_AUTO s;
        signer_make(TEXT("o"), &seed, &s);
        uint8_t line[4 + 64];
        for (unsigned byte = 0; byte < 4; byte++)
            line[byte] = (uint8_t)(s.key_id >> (24 - 8 * byte));
        crypto_sign_detached(line + 4, NULL, (const uint8_t *)forms[i].body.p, forms[i].body.n, s.secret);
        buf_print(&b, "%.*s\n— o ", T(forms[i].body));
        buf_base64(&b, TEXT_BYTES(line));
        buf_char(&b, '\n');
        uint64_t size;
        struct hash root;
        assert_int_equal(checkpoint_open(&a, &s, built(&b), &size, &root), forms[i].good ? OK : ERR_INTEGRITY);
    }
}

static void tlog_proofs(void **state)
{
    struct forest f;
    struct hash roots[MOST + 1];
    struct key seed = { { 5 } };
    forest_make(&f, roots);
    for (uint64_t size = 1; size <= MOST; size += 43) {
        ARENA_AUTO a = arena_make(1 << 26);
        SIGNER_AUTO s;
        struct tree_proof p;
        uint64_t index = size / 2, found, count;
        signer_make(TEXT("garant.example/journal"), &seed, &s);
        text note = checkpoint_sign(&a, &s, size, roots[size]);
        assert_int_equal(tree_prove_inclusion(&a, forest_read, &f, index, size, &p), OK);
        text proof = proof_print(&a, index, &p, note);
        assert_int_equal(proof_open(&a, &s, proof, f.leaves[index], &found, &count), OK);
        assert_true(found == index && count == size);
        assert_int_equal(proof_open(&a, &s, proof, roots[0], &found, &count), ERR_INTEGRITY);
        size_t head = sizeof "c2sp.org/tlog-proof@v1\n" - 1;
        text extra = arena_print(&a, "%.*sextra eHg=\n%.*s", T(text_upto(proof, head)), T(text_from(proof, head)));
        assert_int_equal(proof_open(&a, &s, extra, f.leaves[index], &found, &count), OK);
        char *copy = arena_alloc(&a, proof.n);
        for (size_t bit = 0; bit < proof.n * 8; bit++) {
            memcpy(copy, proof.p, proof.n);
            copy[bit / 8] ^= (char)(1 << bit % 8);
            assert_int_equal(proof_open(&a, &s, (text){ copy, proof.n }, f.leaves[index], &found, &count),
                             ERR_INTEGRITY);
        }
        for (size_t n = 0; n < proof.n; n++)
            assert_int_equal(proof_open(&a, &s, text_upto(proof, n), f.leaves[index], &found, &count), ERR_INTEGRITY);
    }
}

static void jws_vector(void **state)
{
    ARENA_AUTO a = arena_make(1 << 16);
    SIGNER_AUTO s;
    text header, payload;
    /* RFC 8037, appendix A. */
    struct key seed = key_of("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    text expected = TEXT("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                         "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    signer_make(TEXT("example.org"), &seed, &s);
    assert_true(text_eq(jws_sign(&a, &s, TEXT("{\"alg\":\"EdDSA\"}"), TEXT("Example of Ed25519 signing")), expected));
    assert_int_equal(jws_open(&a, &s, expected, &header, &payload), OK);
    assert_true(text_eq(header, TEXT("{\"alg\":\"EdDSA\"}")));
    assert_true(text_eq(payload, TEXT("Example of Ed25519 signing")));
    text headers[] = { TEXT("{\"alg\":\"none\"}"),
                       TEXT("{\"alg\":\"HS256\"}"),
                       TEXT("{}"),
                       TEXT("[]"),
                       TEXT(""),
                       TEXT("{\"alg\":\"EdDSA\",\"crit\":[\"b64\"],\"b64\":false}"),
                       TEXT("{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\"}") };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        assert_int_equal(jws_open(&a, &s, jws_sign(&a, &s, headers[i], TEXT("{}")), &header, &payload), ERR_INTEGRITY);
    assert_int_equal(certificate_open(&a, &s, CERTIFICATE_TYPE, expected, &payload), ERR_INTEGRITY); /* no certificate: no kid, no typ */
}

static void certificates(void **state)
{
    ARENA_AUTO a = arena_make(1 << 24);
    SIGNER_AUTO s;
    struct signer other;
    struct key seed = { { 3 } }, seed2 = { { 4 } };
    text json;
    signer_make(TEXT("garant.example/journal"), &seed, &s);
    signer_make(TEXT("garant.example/journal"), &seed2, &other);
    text jws = certificate_sign(&a, &s, CERTIFICATE_TYPE, TEXT("{\"act\":\"erasure\"}"));
    assert_int_equal(certificate_open(&a, &s, CERTIFICATE_TYPE, jws, &json), OK);
    assert_int_equal(certificate_open(&a, &s, RECEIPT_TYPE, jws, &json), ERR_INTEGRITY);
    assert_true(text_eq(json, TEXT("{\"act\":\"erasure\"}")));
    assert_int_equal(certificate_open(&a, &other, CERTIFICATE_TYPE, jws, &json), ERR_INTEGRITY);
    char *copy = arena_alloc(&a, jws.n + 1);
    for (size_t bit = 0; bit < jws.n * 8; bit++) {
        memcpy(copy, jws.p, jws.n);
        copy[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(certificate_open(&a, &s, CERTIFICATE_TYPE, (text){ copy, jws.n }, &json), ERR_INTEGRITY);
    }
    for (size_t n = 0; n < jws.n; n++)
        assert_int_equal(certificate_open(&a, &s, CERTIFICATE_TYPE, text_upto(jws, n), &json), ERR_INTEGRITY);
    memcpy(copy, jws.p, jws.n);
    copy[jws.n] = '.';
    assert_int_equal(certificate_open(&a, &s, CERTIFICATE_TYPE, (text){ copy, jws.n + 1 }, &json), ERR_INTEGRITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seal_opens),
        cmocka_unit_test(seal_refuses_elsewhere),
        cmocka_unit_test(seal_refuses_altered),
        cmocka_unit_test(derivation),
        cmocka_unit_test(wrapping),
        cmocka_unit_test(rotation),
        cmocka_unit_test(master_file),
        cmocka_unit_test(master_credential),
        cmocka_unit_test(tree_vectors),
        cmocka_unit_test(proof_vectors),
        cmocka_unit_test(inclusion_all),
        cmocka_unit_test(consistency_all),
        cmocka_unit_test(big_sizes),
        cmocka_unit_test(ed25519_vectors),
        cmocka_unit_test(note_vectors),
        cmocka_unit_test(verifiers),
        cmocka_unit_test(checkpoints),
        cmocka_unit_test(checkpoint_forms),
        cmocka_unit_test(tlog_proofs),
        cmocka_unit_test(jws_vector),
        cmocka_unit_test(certificates),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
