/* The keyring's cryptography: the master key's file, and keys wrapped under it. */
#include "keyring.h"
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "base/decode.h"
#include "bind.h"

enum {
    WRAP_VERSION = 1,
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    AT_ID = 1,
    AT_NONCE = AT_ID + 4,
    AT_KEY = AT_NONCE + NONCE,
    FILE_SIZE = 2 * sizeof(struct key) + 1 /* digits and an end of line */
};
_Static_assert(AT_KEY + sizeof(struct key) + TAG == WRAPPED_KEY, "the size that the header promises");

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define FD_AUTO CLEANUP(fd_close) int

/* A byte more, to see that a file is longer. */
struct digits {
    char b[FILE_SIZE + 1];
};
static void digits_wipe(struct digits *d) { sodium_memzero(d, sizeof *d); }

void master_wipe(struct master *m) { sodium_memzero(m, sizeof *m); }

void master_follow(struct master *m, const struct master *former)
{
    m->former_id = former->id;
    m->former = former->key;
    m->has_former = true;
}

static void put_id(uint8_t at[4], uint32_t id)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(id >> (24 - 8 * i));
}

static uint32_t get_id(const uint8_t at[4])
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void set_current(struct master *m, const struct key *k)
{
    uint8_t digest[BIND_SIZE];
    struct bind b;
    bind_start(&b, "garant.masterid1", k);
    bind_end(&b, digest);
    *m = (struct master){ .id = get_id(digest), .key = *k };
}

/* Reads at most `size` bytes; -1 with errno on failure. */
static ssize_t read_all(int fd, char *to, size_t size)
{
    size_t n = 0;
    while (n < size) {
        ssize_t got = read(fd, to + n, size - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (!got)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

static bool write_all(int fd, const char *from, size_t size)
{
    while (size) {
        ssize_t put = write(fd, from, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        from += put;
        size -= (size_t)put;
    }
    return true;
}

/* Where a file has an access list, its group bits are the list's mask and not a right: systemd hands credentials out
 * so. True when there is a list and it opens the file to nobody but its owner, root and this user. */
static bool list_is_private(int fd)
{
    struct {
        struct posix_acl_xattr_header head;
        struct posix_acl_xattr_entry entries[32];
    } list;
    ssize_t size = fgetxattr(fd, "system.posix_acl_access", &list, sizeof list);
    if (size < (ssize_t)sizeof list.head || le32toh(list.head.a_version) != POSIX_ACL_XATTR_VERSION)
        return false;
    for (size_t i = 0; i < ((size_t)size - sizeof list.head) / sizeof *list.entries; i++) {
        unsigned tag = le16toh(list.entries[i].e_tag);
        uid_t id = le32toh(list.entries[i].e_id);
        bool ours = tag == ACL_USER_OBJ || tag == ACL_MASK || (tag == ACL_USER && (id == geteuid() || id == 0));
        if (!ours && list.entries[i].e_perm)
            return false;
    }
    return true;
}

static enum err check_file(struct arena *a, const char *path, int fd)
{
    struct stat st;
    if (fstat(fd, &st))
        return say(a, ERR_CONFIG, "master key file %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return say(a, ERR_CONFIG, "master key file %s is not a regular file", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return say(a, ERR_CONFIG, "master key file %s belongs to user %u, who is neither this one nor root", path,
                   st.st_uid);
    if ((st.st_mode & S_IRWXO) || ((st.st_mode & S_IRWXG) && !list_is_private(fd)))
        return say(a, ERR_CONFIG, "master key file %s has mode %04o: group or others may reach it, chmod 600 closes it",
                   path, st.st_mode & 07777);
    return OK;
}

enum err master_read(struct arena *a, const char *path, struct master *out)
{
    KEY_AUTO k;
    CLEANUP(digits_wipe) struct digits digits;
    master_wipe(out);
    FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ELOOP)
        return say(a, ERR_CONFIG, "master key file %s is a symbolic link: name the file itself", path);
    if (fd < 0)
        return say(a, ERR_CONFIG, "master key file %s: %s", path, strerror(errno));
    TRY(check_file(a, path, fd));
    ssize_t n = read_all(fd, digits.b, sizeof digits.b);
    if (n < 0)
        return say(a, ERR_CONFIG, "master key file %s: %s", path, strerror(errno));
    if (n != FILE_SIZE || digits.b[FILE_SIZE - 1] != '\n' ||
        !decode_hex((text){ digits.b, FILE_SIZE - 1 }, k.b, sizeof k.b) || sodium_is_zero(k.b, sizeof k.b))
        return say(a, ERR_CONFIG, "master key file %s does not hold 64 random hexadecimal digits and an end of line",
                   path);
    set_current(out, &k);
    return OK;
}

/* The folder of `path`, open; -1 with errno. */
static int open_folder(struct arena *a, const char *path)
{
    const char *slash = memrchr(path, '/', text_of(path).n);
    text folder = !slash ? TEXT(".")
                : slash == path ? TEXT("/") : (text){ path, (size_t)(slash - path) };
    text copy = arena_copy(a, folder);
    if (!copy.p) {
        errno = ENOMEM;
        return -1;
    }
    return open(copy.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Writes the key under a passing name, synced, and gives it its own name only then: a crash leaves no half of a key
 * there. */
static enum err write_file(struct arena *a, const char *path, const char *passing, const struct digits *digits)
{
    FD_AUTO folder = open_folder(a, path);
    FD_AUTO fd = folder < 0 ? -1 : open(passing, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return say(a, ERR_CONFIG, "master key file %s: %s", path, strerror(errno));
    bool named = !fchmod(fd, 0600) && write_all(fd, digits->b, FILE_SIZE) && !fsync(fd) && !link(passing, path);
    int why = errno;
    bool kept = !unlink(passing) && named && !fsync(folder);
    if (kept)
        return OK;
    why = named ? errno : why;
    if (named)
        unlink(path);
    return say(a, ERR_CONFIG, "master key file %s: %s", path, strerror(why));
}

enum err master_create(struct arena *a, const char *path, struct master *out)
{
    KEY_AUTO k;
    CLEANUP(digits_wipe) struct digits digits;
    uint64_t number;
    master_wipe(out);
    crypt_random(&number, sizeof number);
    text passing = arena_print(a, "%s.%016llx", path, (unsigned long long)number);
    TRY_PTR(passing.p);
    key_make(&k);
    sodium_bin2hex(digits.b, sizeof digits.b, k.b, sizeof k.b);
    digits.b[FILE_SIZE - 1] = '\n';
    TRY(write_file(a, path, passing.p, &digits));
    set_current(out, &k);
    return OK;
}

static void wrap_bind(uint32_t master_id, text tenant, struct subject_id subject, uint32_t key_class,
                      uint8_t out[BIND_SIZE])
{
    struct bind b;
    bind_start(&b, "garant.wrapped.1", NULL);
    bind_number(&b, master_id);
    bind_text(&b, tenant);
    bind_text(&b, TEXT_BYTES(subject));
    bind_number(&b, key_class);
    bind_end(&b, out);
}

void key_wrap(const struct master *m, text tenant, struct subject_id subject, uint32_t key_class, const struct key *k,
              uint8_t out[WRAPPED_KEY])
{
    uint8_t bound[BIND_SIZE];
    wrap_bind(m->id, tenant, subject, key_class, bound);
    out[0] = WRAP_VERSION;
    put_id(out + AT_ID, m->id);
    randombytes_buf(out + AT_NONCE, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + AT_KEY, NULL, k->b, sizeof k->b, bound, sizeof bound, NULL,
                                               out + AT_NONCE, m->key.b);
}

static bool wrapped_form(text wrapped, uint32_t *master_id)
{
    if (wrapped.n != WRAPPED_KEY || wrapped.p[0] != WRAP_VERSION)
        return false;
    *master_id = get_id((const uint8_t *)wrapped.p + AT_ID);
    return true;
}

enum err key_unwrap(struct arena *a, const struct master *m, text tenant, struct subject_id subject, uint32_t key_class,
                    text wrapped, struct key *out)
{
    uint32_t id;
    uint8_t bound[BIND_SIZE];
    const uint8_t *p = (const uint8_t *)wrapped.p;
    key_wipe(out);
    if (!wrapped_form(wrapped, &id))
        return say(a, ERR_CRYPT, "a key of %zu bytes is not in wrapped form", wrapped.n);
    const struct key *by = id == m->id ? &m->key
                         : m->has_former && id == m->former_id ? &m->former : NULL;
    if (!by)
        return say(a, ERR_CRYPT, "a key was wrapped under master %08x, which is not at hand (current: %08x)", id,
                   m->id);
    wrap_bind(id, tenant, subject, key_class, bound);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out->b, NULL, NULL, p + AT_KEY, sizeof out->b + TAG, bound,
                                                   sizeof bound, p + AT_NONCE, by->b)) {
        key_wipe(out);
        return say(a, ERR_CRYPT, "a wrapped key was altered, or belongs elsewhere");
    }
    return OK;
}

bool key_wrap_current(const struct master *m, text wrapped)
{
    uint32_t id;
    return wrapped_form(wrapped, &id) && id == m->id;
}
