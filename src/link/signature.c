/* DKIM: the key, and one signature a message. */
#include "link/signature.h"
#include "base/buf.h"
#include <dkim.h>
#include <dlfcn.h>
#include <stdio.h>

enum { KEY_MAX = 16 << 10, NAME_ROOM = 256, HEADER_MAX = 16 << 10 };
static const text header_name = TEXT_INIT("DKIM-Signature: ");

/* Loaded by whoever signs: for everybody else it and what is below it are nothing but memory. */
#define DKIM_FUNCTIONS(FUNCTION)                                                                                       \
    FUNCTION(init) FUNCTION(close) FUNCTION(options) FUNCTION(sign)                                                    \
    FUNCTION(chunk) FUNCTION(eom) FUNCTION(getsighdr_d) FUNCTION(free)

struct library {
#define MEMBER(name) __typeof__(dkim_##name) *name;
    DKIM_FUNCTIONS(MEMBER)
#undef MEMBER
};

struct signature {
    struct library dkim;
    DKIM_LIB *lib;
    char key[KEY_MAX], selector[NAME_ROOM], domain[NAME_ROOM];
};

/* Signed where they are there; From once more than it is, so that none can be added. */
static const char *const signed_headers[] = { "From",
                                              "To",
                                              "Reply-To",
                                              "Subject",
                                              "Date",
                                              "Message-ID",
                                              "MIME-Version",
                                              "Content-Type",
                                              "Content-Language",
                                              "List-Unsubscribe",
                                              "List-Unsubscribe-Post",
                                              NULL };
static const char *const over_signed[] = { "From", NULL };

static enum err read_key(struct arena *a, text path, struct signature *s)
{
    char name[4096];
    FILE *file = text_cstr(path, name, sizeof name) ? fopen(name, "re") : NULL;
    if (!file)
        return say(a, ERR_CONFIG, "the file of --dkim-key cannot be read");
    size_t n = fread(s->key, 1, sizeof s->key - 1, file);
    bool whole = feof(file) && !ferror(file);
    fclose(file);
    s->key[n] = 0;
    return whole && n ? OK : say(a, ERR_CONFIG, "the file of --dkim-key is empty, too large, or cannot be read");
}

static bool load_library(struct library *l)
{
    static void *opened; /* for as long as the program runs */
    opened = dlopen("libopendkim.so.11", RTLD_NOW | RTLD_LOCAL);
    bool whole = opened != NULL;
#define FIND(name) whole = whole && (*(void **)&l->name = dlsym(opened, "dkim_" #name)) != NULL;
    DKIM_FUNCTIONS(FIND)
#undef FIND
    return whole;
}

static bool set_options(const struct signature *s)
{
    return s->dkim.options(s->lib, DKIM_OP_SETOPT, DKIM_OPTS_SIGNHDRS, (void *)signed_headers, sizeof(char **)) ==
               DKIM_STAT_OK &&
           s->dkim.options(s->lib, DKIM_OP_SETOPT, DKIM_OPTS_OVERSIGNHDRS, (void *)over_signed, sizeof(char **)) ==
               DKIM_STAT_OK;
}

static enum err try_key(struct arena *a, struct signature *s)
{
    text header;
    static const text message = TEXT_INIT("From: <a@example.org>\r\n\r\nbody\r\n");
    enum err status = signature_make(a, s, 0, message, &header);
    return status == OK ? OK : say(a, ERR_CONFIG, "the key of --dkim-key signs nothing: it must be an RSA key in PEM");
}

enum err signature_open(struct arena *a, text key_file, text selector, text domain, struct signature **out)
{
    struct signature *s = calloc(1, sizeof *s);
    TRY_PTR(s);
    *out = s;
    enum err status = read_key(a, key_file, s);
    if (status == OK && (!selector.n || !text_cstr(selector, s->selector, sizeof s->selector) ||
                         !text_cstr(domain, s->domain, sizeof s->domain)))
        status = say(a, ERR_CONFIG, "--dkim-selector is a name of the sender's domain, as its DNS has it");
    if (status == OK && !load_library(&s->dkim))
        status = say(a, ERR_CONFIG, "--dkim-key needs OpenDKIM's library, which is not installed");
    if (status == OK && (!(s->lib = s->dkim.init(NULL, NULL)) || !set_options(s)))
        status = say(a, ERR_INTERNAL, "libopendkim cannot be started");
    if (status == OK)
        status = try_key(a, s);
    if (status != OK)
        signature_close(out);
    return status;
}

void signature_close(struct signature **s)
{
    if (!*s)
        return;
    if ((*s)->lib)
        (*s)->dkim.close((*s)->lib);
    explicit_bzero((*s)->key, sizeof(*s)->key);
    free(*s);
    *s = NULL;
}

/* The header's own lines, each ended as on the wire. */
static void put_lines(struct buf *b, text value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\n' && (!i || value.p[i - 1] != '\r'))
            buf_char(b, '\r');
        buf_char(b, value.p[i]);
    }
    buf_add(b, TEXT("\r\n"));
}

static enum err sign(struct arena *a, const struct library *dkim, DKIM *d, text message, text *out)
{
    unsigned char *value;
    size_t n;
    BUF_AUTO b = buf_make(HEADER_MAX);
    bool made = dkim->chunk(d, (unsigned char *)(uintptr_t)message.p, message.n) == DKIM_STAT_OK &&
                dkim->chunk(d, NULL, 0) == DKIM_STAT_OK && dkim->eom(d, NULL) == DKIM_STAT_OK &&
                dkim->getsighdr_d(d, header_name.n, &value, &n) == DKIM_STAT_OK;
    if (!made)
        return say(a, ERR_CRYPT, "an email cannot be signed");
    buf_add(&b, header_name);
    put_lines(&b, (text){ (const char *)value, n });
    return buf_take(a, &b, out);
}

enum err signature_make(struct arena *a, struct signature *s, msec now, text message, text *out)
{
    DKIM_STAT status;
    uint64_t seconds = (uint64_t)(now / SECOND);
    if (now && s->dkim.options(s->lib, DKIM_OP_SETOPT, DKIM_OPTS_FIXEDTIME, &seconds, sizeof seconds) != DKIM_STAT_OK)
        return say(a, ERR_INTERNAL, "libopendkim takes no time");
    DKIM *d = s->dkim.sign(s->lib, (const unsigned char *)"letter", NULL, (dkim_sigkey_t)s->key,
                        (const unsigned char *)s->selector, (const unsigned char *)s->domain, DKIM_CANON_RELAXED,
                        DKIM_CANON_RELAXED, DKIM_SIGN_RSASHA256, -1, &status);
    if (!d)
        return say(a, ERR_CRYPT, "an email cannot be signed");
    enum err made = sign(a, &s->dkim, d, message, out);
    s->dkim.free(d);
    return made;
}
