/* TLS by OpenSSL: one context at a time, replaced whole when certificate, key or policy change. */
#include "front/wire/tls.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 256 << 10 };

/* What tells one file from another that was put in its place. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct tls {
    pthread_mutex_t lock; /* guards what follows */
    SSL_CTX *context;
    msec from, until;       /* of the certificate */
    int floor;              /* last asked for by a policy, whether or not it could be done */
    struct stamp stamps[2]; /* of the files last read, whatever came of it */
    char files[2][4096];    /* certificate, key */
};

static void bio_free(BIO **b) { BIO_free(*b); }
static void x509_free(X509 **x) { X509_free(*x); }
static void key_free(EVP_PKEY **k) { EVP_PKEY_free(*k); }
static void context_free(SSL_CTX **c) { SSL_CTX_free(*c); }

/* ---- Files. ---- */

static struct stamp stamp_of(const char *path)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return (struct stamp){ 0 };
    return (struct stamp){ s.st_dev, s.st_ino, s.st_size, s.st_mtim };
}

static bool same_stamp(const struct stamp *x, const struct stamp *y)
{
    return x->device == y->device && x->inode == y->inode && x->size == y->size &&
           x->changed.tv_sec == y->changed.tv_sec && x->changed.tv_nsec == y->changed.tv_nsec;
}

static enum err read_file(struct arena *a, const char *path, text *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return say(a, ERR_CONFIG, "%s cannot be read: %s", path, strerror(errno));
    char *p = arena_alloc(a, FILE_MAX);
    ssize_t n = 0;
    *out = (text){ p, 0 };
    while (p && out->n < FILE_MAX && (n = read(fd, p + out->n, FILE_MAX - out->n)) > 0)
        out->n += (size_t)n;
    int why = errno;
    close(fd);
    TRY_PTR(p);
    if (n < 0)
        return say(a, ERR_CONFIG, "%s cannot be read: %s", path, strerror(why));
    return out->n < FILE_MAX ? OK : say(a, ERR_CONFIG, "%s is larger than a certificate or a key can be", path);
}

/* Nobody is there to type a pass phrase. */
static int no_pass_phrase(char *buffer, int size, int writing, void *asked)
{
    *(bool *)asked = true;
    return -1;
}

static enum err read_key(struct arena *a, const char *path, EVP_PKEY **out)
{
    text pem;
    bool asked = false;
    TRY(read_file(a, path, &pem));
    CLEANUP(bio_free) BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    *out = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, &asked) : NULL;
    OPENSSL_cleanse((void *)(uintptr_t)pem.p, pem.n);
    if (*out)
        return OK;
    return asked ? say(a, ERR_CONFIG, "the key in %s has a pass phrase, which a server cannot type", path)
                 : say(a, ERR_CONFIG, "%s holds no private key in PEM", path);
}

/* ---- A context. ---- */

static msec time_of(const ASN1_TIME *t)
{
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool ok = epoch && t && ASN1_TIME_diff(&days, &seconds, epoch, t);
    ASN1_TIME_free(epoch);
    return ok ? days * DAY + seconds * (msec)SECOND : 0;
}

static enum err check_dates(struct arena *a, const char *path, const X509 *leaf, msec now, msec *from, msec *until)
{
    *from = time_of(X509_get0_notBefore(leaf));
    *until = time_of(X509_get0_notAfter(leaf));
    if (now >= *until)
        return say(a, ERR_CONFIG, "the certificate in %s has expired: it was valid until %.*s", path,
                   T(time_print(a, *until)));
    if (now < *from)
        return say(a, ERR_CONFIG, "the certificate in %s is not valid yet: it is from %.*s on", path,
                   T(time_print(a, *from)));
    return OK;
}

static enum err use_chain(struct arena *a, const char *path, SSL_CTX *context, msec now, msec *from, msec *until)
{
    text pem;
    bool asked = false;
    TRY(read_file(a, path, &pem));
    CLEANUP(bio_free) BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    CLEANUP(x509_free) X509 *leaf = bio ? PEM_read_bio_X509_AUX(bio, NULL, no_pass_phrase, &asked) : NULL;
    if (!leaf)
        return say(a, ERR_CONFIG, "%s holds no certificate in PEM", path);
    TRY(check_dates(a, path, leaf, now, from, until));
    if (SSL_CTX_use_certificate(context, leaf) != 1)
        return say(a, ERR_CONFIG, "the certificate in %s cannot be used: %s", path,
                   ERR_reason_error_string(ERR_peek_last_error()));
    for (X509 *more; (more = PEM_read_bio_X509(bio, NULL, no_pass_phrase, &asked));)
        if (SSL_CTX_add0_chain_cert(context, more) != 1) {
            X509_free(more);
            return say(a, ERR_CONFIG, "a certificate of the chain in %s cannot be used: %s", path,
                       ERR_reason_error_string(ERR_peek_last_error()));
        }
    ERR_clear_error(); /* the end of the file is an error to the library */
    return OK;
}

/* RFC 7301: whoever asks for another protocol alone is refused, so that nothing else's words are taken for HTTP. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *size, const unsigned char *offered,
                           unsigned offered_size, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *found;
    if (SSL_select_next_proto(&found, size, ours, sizeof ours - 1, offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = found;
    return SSL_TLSEXT_ERR_OK;
}

static int floor_of(const struct policy *policy)
{
    return text_eq(node_text(node_at(policy->root, TEXT("security.transport")), TEXT("tls")), TEXT("1.3"))
               ? TLS1_3_VERSION
               : TLS1_2_VERSION;
}

/* No session is resumed: a ticket's key would outlive what it protects, and connections are kept. A connection's end
 * without TLS's own word for it is a plain end, since every body comes with its length. */
static bool set_up(SSL_CTX *c, int floor)
{
    SSL_CTX_set_security_level(c, 2); /* RSA of 2048 bits, curves of 224, no SHA-1 */
    SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                               SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(c, choose_protocol, NULL);
    return SSL_CTX_set_num_tickets(c, 0) && SSL_CTX_set_min_proto_version(c, floor) &&
           SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20") &&
           SSL_CTX_set1_groups_list(c, "X25519:P-256:P-384");
}

static enum err make_context(struct arena *a, struct tls *t, int floor, msec now, SSL_CTX **out, msec *from,
                             msec *until)
{
    CLEANUP(context_free) SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    CLEANUP(key_free) EVP_PKEY *key = NULL;
    ERR_clear_error();
    if (!context || !set_up(context, floor))
        return say(a, ERR_INTERNAL, "the TLS library does not start");
    TRY(use_chain(a, t->files[0], context, now, from, until));
    TRY(read_key(a, t->files[1], &key));
    if (X509_check_private_key(SSL_CTX_get0_certificate(context), key) != 1)
        return say(a, ERR_CONFIG, "the key in %s is not that of the certificate in %s", t->files[1], t->files[0]);
    if (SSL_CTX_use_PrivateKey(context, key) != 1)
        return say(a, ERR_CONFIG, "the key in %s cannot be used: %s", t->files[1],
                   ERR_reason_error_string(ERR_peek_last_error()));
    *out = context;
    context = NULL;
    return OK;
}

/* ---- In use. ---- */

enum err tls_reload(struct arena *a, struct tls *t, const struct policy *policy, msec now)
{
    struct stamp stamps[2] = { stamp_of(t->files[0]),
                               stamp_of(t->files[1]) }; /* before reading: a later change is seen again */
    SSL_CTX *context = NULL, *former;
    msec from = 0, until = 0;
    int floor = floor_of(policy);
    enum err e = make_context(a, t, floor, now, &context, &from, &until);
    pthread_mutex_lock(&t->lock);
    memcpy(t->stamps, stamps, sizeof stamps);
    t->floor = floor;
    former = context ? t->context : NULL;
    if (context) {
        t->context = context;
        t->from = from;
        t->until = until;
    }
    pthread_mutex_unlock(&t->lock);
    SSL_CTX_free(former); /* each connection holds its own reference */
    return e;
}

enum err tls_open(struct arena *a, text certificate, text key, const struct policy *policy, msec now, struct tls **out)
{
    CLEANUP(tls_close) struct tls *t = calloc(1, sizeof *t);
    TRY_PTR(t);
    pthread_mutex_init(&t->lock, NULL);
    if (!text_cstr(certificate, t->files[0], sizeof t->files[0]) || !text_cstr(key, t->files[1], sizeof t->files[1]))
        return say(a, ERR_CONFIG, "the path of the certificate or of the key is too long");
    TRY(tls_reload(a, t, policy, now));
    *out = t;
    t = NULL;
    return OK;
}

void tls_close(struct tls **t)
{
    if (!*t)
        return;
    SSL_CTX_free((*t)->context);
    pthread_mutex_destroy(&(*t)->lock);
    free(*t);
    *t = NULL;
}

bool tls_changed(struct tls *t, const struct policy *policy)
{
    struct stamp stamps[2] = { stamp_of(t->files[0]), stamp_of(t->files[1]) };
    pthread_mutex_lock(&t->lock);
    bool changed = !same_stamp(&stamps[0], &t->stamps[0]) || !same_stamp(&stamps[1], &t->stamps[1]) ||
                   t->floor != floor_of(policy);
    pthread_mutex_unlock(&t->lock);
    return changed;
}

SSL *tls_session(struct tls *t)
{
    pthread_mutex_lock(&t->lock);
    SSL *ssl = SSL_new(t->context);
    pthread_mutex_unlock(&t->lock);
    if (ssl)
        SSL_set_accept_state(ssl);
    return ssl;
}

bool tls_key_open(struct tls *t)
{
    struct stat s;
    return stat(t->files[1], &s) == 0 && s.st_mode & S_IROTH;
}

void tls_dates(struct tls *t, msec *from, msec *until)
{
    pthread_mutex_lock(&t->lock);
    *from = t->from;
    *until = t->until;
    pthread_mutex_unlock(&t->lock);
}
