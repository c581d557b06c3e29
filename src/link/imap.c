/* IMAP: the connection by libcurl, lines and literals within bounds, and the few commands that are needed. */
#include "link/imap.h"
#include "base/clock.h"
#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CONNECT_SECONDS = 20,
    ANSWER_MS = 60000,   /* of one command */
    MESSAGE_MS = 600000, /* of one that brings a message */
    GOODBYE_MS = 1000,
    MAILBOX_MAX = 200,
    INPUT = 16 << 10,
    LINE_KEPT = 16 << 10,     /* of a line; what is behind is read and dropped */
    ANSWER_BYTES = 4 << 20,   /* of all lines of one answer, and the literals that nobody asked for */
    LITERAL_SKIPPED = 1 << 16 /* one that nobody asked for */
};

struct imap {
    CURL *curl;
    const struct link_thread *thread;
    char url[512], user[256], password[512], mailbox[MAILBOX_MAX], ca_file[4096];
    curl_socket_t fd;
    bool connected;
    const char *code;
    char in[INPUT];
    size_t at, end;
    size_t left; /* bytes that this answer may still have, apart from the literal that was asked for */
    msec until;
    unsigned tag;
    char line[LINE_KEPT];
};

const char *imap_code(const struct imap *m) { return m->code; }

bool imap_goes_on(const struct imap *m) { return m->connected; }

static bool fail(struct imap *m, const char *code)
{
    m->code = link_thread_stops(m->thread) ? "stopped" : code;
    m->connected = false;
    return false;
}

/* ---- Options. ---- */

bool imap_name(text mailbox)
{
    for (size_t i = 0; i < mailbox.n; i++)
        if (mailbox.p[i] < ' ' || mailbox.p[i] > '~')
            return false;
    return mailbox.n > 0 && mailbox.n < MAILBOX_MAX;
}

static bool url_good(text url)
{
    text host = text_from(url, 8);
    bool good = text_starts(url, TEXT("imaps://")) && imap_name(host);
    for (size_t i = 0; i < host.n; i++)
        good &= text_index(TEXT("/@?#;\\\"<> "), host.p[i]) < 0;
    return good;
}

static enum err read_options(struct arena *a, const struct imap_options *o, struct imap *m)
{
    text url = o->url;
    while (text_ends(url, TEXT("/")) && url.n > 8)
        url = text_upto(url, url.n - 1);
    if (!url_good(url))
        return say(a, ERR_CONFIG, "\"url\" is imaps://host or imaps://host:port, without user, password or mailbox");
    if (!imap_name(o->mailbox))
        return say(a, ERR_CONFIG, "a mailbox is named in ASCII, as its server writes the name");
    if (!o->user.n || !o->password.n)
        return say(a, ERR_CONFIG, "\"user\" and \"password\" (a file, whose first line is the password) are needed");
    if (!text_cstr(url, m->url, sizeof m->url) || !text_cstr(o->user, m->user, sizeof m->user) ||
        !text_cstr(o->password, m->password, sizeof m->password) ||
        !text_cstr(o->ca_file, m->ca_file, sizeof m->ca_file) || !text_cstr(o->mailbox, m->mailbox, sizeof m->mailbox))
        return say(a, ERR_CONFIG, "an option of the mailbox is too long, or holds a NUL");
    return OK;
}

/* ---- The connection. ---- */

static int still_wanted(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct imap *m = arg;
    return link_thread_stops(m->thread);
}

/* CONNECT_ONLY: libcurl checks the certificate, signs in, and leaves the rest to us. Its own fetching marks a message
 * as read before it is filed, and takes lines of a message for the server's answer. */
static void set_options(struct imap *m)
{
    CURL *c = m->curl;
    curl_easy_setopt(c, CURLOPT_URL, m->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "imaps");
    curl_easy_setopt(c, CURLOPT_PROXY, ""); /* whatever the environment says */
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    if (m->ca_file[0])
        curl_easy_setopt(c, CURLOPT_CAINFO, m->ca_file);
    curl_easy_setopt(c, CURLOPT_USERNAME, m->user);
    curl_easy_setopt(c, CURLOPT_PASSWORD, m->password);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, still_wanted);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, m);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
}

enum err imap_open(struct arena *a, const struct imap_options *o, const struct link_thread *t, struct imap **out)
{
    struct imap *m = calloc(1, sizeof *m);
    TRY_PTR(m);
    *out = m;
    m->thread = t;
    m->code = "unreachable";
    enum err status = read_options(a, o, m);
    if (status == OK && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        status = say(a, ERR_INTERNAL, "libcurl cannot be started");
    if (status != OK)
        imap_close(out);
    return status;
}

static void disconnect(struct imap *m)
{
    if (m->curl)
        curl_easy_cleanup(m->curl);
    m->curl = NULL;
    m->connected = false;
}

void imap_close(struct imap **m)
{
    if (!*m)
        return;
    disconnect(*m);
    explicit_bzero((*m)->password, sizeof(*m)->password);
    free(*m);
    *m = NULL;
}

static const char *judged(CURLcode code)
{
    switch ((int)code) {
    case CURLE_LOGIN_DENIED:
        return "login";
    case CURLE_OPERATION_TIMEDOUT:
        return "timeout";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return "tls";
    case CURLE_WEIRD_SERVER_REPLY:
        return "answer";
    default:
        return "unreachable";
    }
}

/* ---- Bytes. ---- */

/* Asked at each refill too: a server that never pauses would else be read for ever. */
static bool in_time(struct imap *m)
{
    if (link_thread_stops(m->thread))
        return fail(m, "stopped");
    return clock_monotonic() < m->until || fail(m, "timeout");
}

static void wait_for(struct imap *m, short what)
{
    struct pollfd fds[] = { { m->fd, what, 0 }, { m->thread->stop_fd, POLLIN, 0 } };
    msec left = m->until - clock_monotonic();
    if (left > 0)
        poll(fds, 2, (int)left);
}

static bool fill(struct imap *m)
{
    CURLcode code = CURLE_AGAIN;
    size_t n = 0;
    while (m->at == m->end && m->connected && in_time(m)) {
        code = curl_easy_recv(m->curl, m->in, sizeof m->in, &n);
        if (code == CURLE_AGAIN) {
            wait_for(m, POLLIN);
            continue;
        }
        if (code != CURLE_OK || !n)
            return fail(m, "unreachable");
        m->at = 0;
        m->end = n;
    }
    return m->connected;
}

static bool send_all(struct imap *m, text s)
{
    while (s.n && m->connected && in_time(m)) {
        size_t n = 0;
        CURLcode code = curl_easy_send(m->curl, s.p, s.n, &n);
        if (code == CURLE_AGAIN)
            wait_for(m, POLLOUT);
        else if (code != CURLE_OK)
            return fail(m, "unreachable");
        s = text_from(s, n);
    }
    return m->connected;
}

/* A line without its end; *cut when it was longer than is kept. */
static bool read_line(struct imap *m, text *out, bool *cut)
{
    size_t n = 0;
    *cut = false;
    while (fill(m)) {
        char c = m->in[m->at++];
        if (!m->left--)
            return fail(m, "answer");
        if (c == '\n') {
            *out = (text){ m->line, n && m->line[n - 1] == '\r' ? n - 1 : n };
            return true;
        }
        if (n < sizeof m->line)
            m->line[n++] = c;
        else
            *cut = true;
    }
    return false;
}

/* So many bytes of a literal, into `out` or nowhere. */
static bool read_literal(struct imap *m, size_t n, struct buf *out)
{
    while (n && fill(m)) {
        size_t some = m->end - m->at < n ? m->end - m->at : n;
        if (out)
            buf_add(out, (text){ m->in + m->at, some });
        m->at += some;
        n -= some;
    }
    return m->connected;
}

/* "{1234}" at the end of a line: a literal follows. */
static bool literal_of(text line, size_t *out)
{
    size_t from = line.n;
    int64_t n;
    if (!text_ends(line, TEXT("}")))
        return false;
    while (from && line.p[from - 1] != '{')
        from--;
    if (!from || !text_int(text_upto(text_from(line, from), line.n - from - 1), &n) || n < 0)
        return false;
    *out = (size_t)n;
    return true;
}

/* ---- Commands. ---- */

/* What takes the lines of an answer. */
struct answer_to {
    bool (*line)(struct imap *m, struct answer_to *to, text line, bool cut);
    uint32_t uid, from;
    int64_t number;
    uint32_t *uids;
    unsigned room, count;
    bool more;
    struct buf *literal; /* where that of `uid` goes */
};

/* The number behind a word of a line; -1 when there is none. Case does not count. */
static int64_t number_after(text line, text word)
{
    for (size_t i = 0; i + word.n <= line.n; i++) {
        bool begins = !i || line.p[i - 1] == ' ' || line.p[i - 1] == '(' || line.p[i - 1] == '[';
        if (!begins || !text_eq_nocase(text_upto(text_from(line, i), word.n), word))
            continue;
        text rest = text_from(line, i + word.n);
        size_t n = 0;
        int64_t found;
        while (n < rest.n && n < 12 && rest.p[n] >= '0' && rest.p[n] <= '9')
            n++;
        return n && text_int(text_upto(rest, n), &found) ? found : -1;
    }
    return -1;
}

/* A literal that nobody asked for is passed over, with the line that goes on behind it. */
static bool skip_literals(struct imap *m, text line)
{
    size_t n;
    bool cut;
    while (literal_of(line, &n)) {
        if (n > LITERAL_SKIPPED || n > m->left)
            return fail(m, "answer");
        m->left -= n;
        if (!read_literal(m, n, NULL) || !read_line(m, &line, &cut))
            return false;
        if (cut)
            return fail(m, "answer");
    }
    return true;
}

/* The tagged line: *good when it says OK. False when the connection is over. */
static bool answer(struct imap *m, struct answer_to *to, text tag, bool *good)
{
    text line;
    bool cut;
    *good = false;
    while (read_line(m, &line, &cut)) {
        if (text_starts(line, tag) && line.n > tag.n && line.p[tag.n] == ' ') {
            text said = text_from(line, tag.n + 1);
            *good = text_eq_nocase(text_cut(&said, ' '), TEXT("OK"));
            return true;
        }
        bool untagged = text_starts(line, TEXT("* "));
        if (!untagged || text_eq_nocase(text_upto(line, 5), TEXT("* BYE")))
            return fail(m, untagged ? "unreachable" : "answer");
        if (to && to->line ? !to->line(m, to, line, cut) : cut ? !fail(m, "answer") : !skip_literals(m, line))
            return false;
    }
    return false;
}

/* One command, without its tag and line end, and its answer. */
static bool command(struct imap *m, const char *said, struct answer_to *to, int ms, bool *good)
{
    char line[1024], tag[16];
    if (!m->connected)
        return false;
    m->left = ANSWER_BYTES;
    m->until = clock_monotonic() + ms;
    snprintf(tag, sizeof tag, "G%u", ++m->tag);
    int n = snprintf(line, sizeof line, "%s %s\r\n", tag, said);
    if (n < 0 || n >= (int)sizeof line)
        return fail(m, "refused");
    return send_all(m, (text){ line, (size_t)n }) && answer(m, to, text_of(tag), good);
}

/* One that must succeed. What its server refuses does not end the connection. */
static bool done(struct imap *m, const char *said, struct answer_to *to, int ms)
{
    bool good = false;
    if (command(m, said, to, ms, &good) && !good)
        m->code = "refused";
    return good;
}

/* "name" as IMAP quotes it. */
static void quote(text name, char *out, size_t size)
{
    size_t n = 0;
    out[n++] = '"';
    for (size_t i = 0; i < name.n && n + 3 < size; i++) {
        if (name.p[i] == '"' || name.p[i] == '\\')
            out[n++] = '\\';
        out[n++] = name.p[i];
    }
    out[n++] = '"';
    out[n] = 0;
}

bool imap_begin(struct imap *m)
{
    char name[2 * MAILBOX_MAX + 3], said[2 * MAILBOX_MAX + 40];
    bool good = false;
    disconnect(m);
    m->at = m->end = 0;
    m->curl = curl_easy_init();
    if (!m->curl)
        return fail(m, "unreachable");
    set_options(m);
    CURLcode code = curl_easy_perform(m->curl);
    if (code != CURLE_OK)
        return fail(m, judged(code));
    if (curl_easy_getinfo(m->curl, CURLINFO_ACTIVESOCKET, &m->fd) != CURLE_OK || m->fd == CURL_SOCKET_BAD)
        return fail(m, "unreachable");
    m->connected = true;
    quote(text_of(m->mailbox), name, sizeof name);
    snprintf(said, sizeof said, "SELECT %s", name);
    return command(m, said, NULL, ANSWER_MS, &good) && (good || fail(m, "mailbox"));
}

void imap_end(struct imap *m)
{
    const char *was = m->code;
    m->until = clock_monotonic() + GOODBYE_MS;
    if (m->connected && !link_thread_stops(m->thread))
        (void)send_all(m, TEXT("G0 LOGOUT\r\n")); /* whether it is heard changes nothing */
    m->code = was;
    disconnect(m);
}

/* ---- Which. ---- */

static bool take_search(struct imap *m, struct answer_to *to, text line, bool cut)
{
    if (!text_eq_nocase(text_upto(line, 8), TEXT("* SEARCH")))
        return cut ? fail(m, "answer") : skip_literals(m, line);
    text rest = text_trim(text_from(line, 8));
    while (rest.n) {
        int64_t uid;
        text one = text_cut(&rest, ' ');
        bool torn = cut && !rest.n;
        if (!one.n)
            continue;
        if (torn || to->count == to->room) {
            to->more = true;
            return true;
        }
        if (!text_int(one, &uid) || uid < 1 || uid > UINT32_MAX)
            return fail(m, "answer");
        if (uid >= to->from) /* "7:*" is the last one, whatever its number */
            to->uids[to->count++] = (uint32_t)uid;
    }
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

bool imap_search(struct imap *m, uint32_t from, uint32_t *uids, unsigned room, unsigned *count, bool *more)
{
    char said[80];
    struct answer_to to = { .line = take_search, .from = from, .uids = uids, .room = room };
    snprintf(said, sizeof said, "UID SEARCH UID %u:* UNSEEN UNDELETED", from);
    if (!done(m, said, &to, ANSWER_MS))
        return false;
    qsort(uids, to.count, sizeof *uids, by_number);
    *count = to.count;
    *more = to.more;
    return true;
}

/* ---- One of them. ---- */

static bool is_fetch_of(const struct answer_to *to, text line)
{
    text rest = text_from(line, 2);
    text_cut(&rest, ' ');
    return text_eq_nocase(text_upto(rest, 6), TEXT("FETCH ")) && number_after(rest, TEXT("UID ")) == to->uid;
}

static bool take_size(struct imap *m, struct answer_to *to, text line, bool cut)
{
    if (cut)
        return fail(m, "answer");
    if (is_fetch_of(to, line) && number_after(line, TEXT("RFC822.SIZE ")) >= 0)
        to->number = number_after(line, TEXT("RFC822.SIZE "));
    return skip_literals(m, line);
}

bool imap_size(struct imap *m, uint32_t uid, int64_t *size)
{
    char said[80];
    struct answer_to to = { .line = take_size, .uid = uid, .number = -1 };
    snprintf(said, sizeof said, "UID FETCH %u (UID RFC822.SIZE)", uid);
    if (!done(m, said, &to, ANSWER_MS))
        return false;
    *size = to.number;
    return true;
}

static bool take_message(struct imap *m, struct answer_to *to, text line, bool cut)
{
    size_t n;
    bool torn;
    text behind;
    if (cut)
        return fail(m, "answer");
    if (!to->literal || text_find(line, TEXT("BODY[")) < 0 || !literal_of(line, &n))
        return skip_literals(m, line);
    int64_t before = number_after(line, TEXT("UID ")); /* servers put it on either side */
    if (n > to->literal->limit || to->literal->n)
        return fail(m, "answer");
    if (!read_literal(m, n, to->literal) || !read_line(m, &behind, &torn))
        return false;
    to->literal = NULL; /* what comes twice is passed over */
    int64_t said = before < 0 ? number_after(behind, TEXT("UID ")) : before;
    return said != to->uid || torn ? fail(m, "answer") : skip_literals(m, behind);
}

bool imap_message(struct imap *m, uint32_t uid, bool header_alone, struct buf *out)
{
    char said[96];
    struct answer_to to = { .line = take_message, .uid = uid, .literal = out };
    if (header_alone)
        snprintf(said, sizeof said, "UID FETCH %u (UID BODY.PEEK[HEADER]<0.%zu>)", uid, out->limit);
    else
        snprintf(said, sizeof said, "UID FETCH %u (UID BODY.PEEK[])", uid);
    return done(m, said, &to, MESSAGE_MS);
}

bool imap_flag(struct imap *m, uint32_t uid, const char *flags)
{
    char said[120];
    snprintf(said, sizeof said, "UID STORE %u +FLAGS.SILENT (%s)", uid, flags);
    return done(m, said, NULL, ANSWER_MS);
}

/* A server without UIDPLUS (RFC 4315) keeps it, marked as deleted, until its owner's program tidies the mailbox. */
bool imap_delete(struct imap *m, uint32_t uid)
{
    char said[80];
    bool good;
    snprintf(said, sizeof said, "UID EXPUNGE %u", uid);
    return imap_flag(m, uid, "\\Seen \\Deleted") && command(m, said, NULL, ANSWER_MS, &good);
}

/* Without MOVE (RFC 6851): copied, then deleted. */
bool imap_move(struct imap *m, uint32_t uid, text mailbox)
{
    char name[2 * MAILBOX_MAX + 3], said[2 * MAILBOX_MAX + 40];
    bool good = false;
    quote(mailbox, name, sizeof name);
    snprintf(said, sizeof said, "UID MOVE %u %s", uid, name);
    if (!imap_flag(m, uid, "\\Seen") || !command(m, said, NULL, ANSWER_MS, &good) || good)
        return m->connected && good;
    snprintf(said, sizeof said, "UID COPY %u %s", uid, name);
    return done(m, said, NULL, ANSWER_MS) && imap_delete(m, uid);
}
