/* Messages of RFC 5322: encoded words (RFC 2047), quoted-printable bodies (RFC 2045), multipart/alternative. */
#include "link/mime.h"

enum {
    WORD_BYTES = 42,
    LINE_MAX_QP = 76,
    NAME_MAX = 200,
    PLAIN_MAX = 60
}; /* an encoded word has at most 75 characters */

static bool has_control(text s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] < ' ' || s.p[i] == 0x7F)
            return true;
    return false;
}

static bool plain_ascii(text s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] < ' ' || (uint8_t)s.p[i] > '~')
            return false;
    return true;
}

/* ---- Headers. ---- */

/* As many of the first bytes as fit into `most`: characters are not torn. */
static size_t whole_bytes(text s, size_t most)
{
    size_t end = s.n < most ? s.n : most;
    size_t fits = end;
    while (end < s.n && end > 0 && (s.p[end] & 0xC0) == 0x80)
        end--;
    return end ? end : fits;
}

static void put_encoded(struct buf *b, text s)
{
    while (s.n) {
        size_t n = whole_bytes(s, WORD_BYTES);
        buf_add(b, TEXT("=?UTF-8?B?"));
        buf_base64(b, text_upto(s, n));
        buf_add(b, TEXT("?="));
        s = text_from(s, n);
        if (s.n)
            buf_add(b, TEXT("\r\n "));
    }
}

static void put_unstructured(struct buf *b, text s)
{
    if (plain_ascii(s) && s.n <= PLAIN_MAX && text_find(s, TEXT("=?")) < 0)
        buf_add(b, s);
    else
        put_encoded(b, s);
}

static void put_name(struct buf *b, text s)
{
    if (!plain_ascii(s) || s.n > PLAIN_MAX || text_find(s, TEXT("=?")) >= 0) {
        put_encoded(b, text_upto(s, whole_bytes(s, NAME_MAX)));
        return;
    }
    buf_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_char(b, '\\');
        buf_char(b, s.p[i]);
    }
    buf_char(b, '"');
}

static void put_date(struct buf *b, msec t)
{
    static const char days[] = "ThuFriSatSunMonTueWed",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec"; /* 1 January 1970 was a Thursday */
    struct date d = date_of(t);
    int seconds = (int)((t - date_start(d)) / SECOND), week = (int)(((date_days(d) % 7) + 7) % 7);
    buf_print(b, "%.3s, %d %.3s %d %02d:%02d:%02d +0000", days + 3 * week, d.day, months + 3 * (d.month - 1), d.year,
              seconds / 3600, seconds / 60 % 60, seconds % 60);
}

static text domain_of(text address) { return text_from(address, (size_t)(text_index(address, '@') + 1)); }

static enum err check_address(struct arena *a, const char *header, text s)
{
    bool good = text_index(s, '@') > 0 && domain_of(s).n && !has_control(s);
    for (size_t i = 0; i < s.n; i++)
        good &= text_index(TEXT(" <>()[]\\,;:\""), s.p[i]) < 0;
    return good ? OK : say(a, ERR_VALUE, "the header %s would hold what is no single address", header);
}

static enum err check_line(struct arena *a, const char *header, text s)
{
    return has_control(s) ? say(a, ERR_VALUE, "the header %s would hold a control character", header) : OK;
}

static enum err check(struct arena *a, const struct mime *m)
{
    TRY(check_address(a, "From", m->from));
    TRY(check_address(a, "To", m->to));
    if (m->reply_to.n)
        TRY(check_address(a, "Reply-To", m->reply_to));
    if (m->unsubscribe_to.n)
        TRY(check_address(a, "List-Unsubscribe", m->unsubscribe_to));
    TRY(check_line(a, "List-Unsubscribe", m->unsubscribe));
    TRY(check_line(a, "From", m->from_name));
    TRY(check_line(a, "Subject", m->subject));
    TRY(check_line(a, "Content-Language", m->language));
    TRY(check_line(a, "Message-ID", m->id));
    TRY(check_line(a, "In-Reply-To", m->in_reply_to));
    TRY(check_line(a, "Service-Notice", m->letter));
    return check_line(a, "Service-Notice", m->purpose);
}

/* One click, and one letter, end it (RFC 2369, RFC 8058). */
static void put_unsubscribe(struct buf *b, const struct mime *m)
{
    buf_add(b, TEXT("List-Unsubscribe: "));
    if (m->unsubscribe_to.n)
        buf_print(b, "<mailto:%.*s>,\r\n ", T(m->unsubscribe_to));
    buf_print(b, "<%.*s>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", T(m->unsubscribe));
}

static void put_headers(struct buf *b, const struct mime *m)
{
    buf_add(b, TEXT("From: "));
    put_name(b, m->from_name);
    bool long_line = !plain_ascii(m->from_name) || m->from_name.n > 40 || m->from_name.n + m->from.n > 60;
    buf_print(b, "%s<%.*s>\r\nTo: <%.*s>\r\n", long_line ? "\r\n " : " ", T(m->from), T(m->to));
    if (m->reply_to.n)
        buf_print(b, "Reply-To: <%.*s>\r\n", T(m->reply_to));
    buf_add(b, TEXT("Subject: "));
    put_unstructured(b, m->subject);
    buf_add(b, TEXT("\r\nDate: "));
    put_date(b, m->date);
    buf_print(b, "\r\nMessage-ID: <%.*s@%.*s>\r\n", T(m->id), T(domain_of(m->from)));
    if (m->unsubscribe.n)
        put_unsubscribe(b, m);
    else
        buf_print(b, "Service-Notice: letter=%.*s%s%.*s\r\n", T(m->letter), m->purpose.n ? "; purpose=" : "",
                  T(m->purpose));
    if (m->in_reply_to.n)
        buf_print(b, "In-Reply-To: <%.*s>\r\nReferences: <%.*s>\r\n", T(m->in_reply_to), T(m->in_reply_to));
    buf_print(b, "Auto-Submitted: %s\r\nContent-Language: %.*s\r\nMIME-Version: 1.0\r\n",
              m->in_reply_to.n ? "auto-replied" : "auto-generated", T(m->language));
}

/* ---- Bodies. ---- */

/* A line break stays one; a blank at the end of a line is written so that no relay drops it. */
static void put_quoted(struct buf *b, text s)
{
    size_t column = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t ch = (uint8_t)s.p[i];
        bool last = i + 1 == s.n || s.p[i + 1] == '\n';
        if (ch == '\n') {
            buf_add(b, TEXT("\r\n"));
            column = 0;
            continue;
        }
        bool as_is = (ch > ' ' && ch <= '~' && ch != '=') || ((ch == ' ' || ch == '\t') && !last);
        if (column + (as_is ? 1 : 3) > LINE_MAX_QP - 1) {
            buf_add(b, TEXT("=\r\n"));
            column = 0;
        }
        if (as_is)
            buf_char(b, (char)ch);
        else
            buf_print(b, "=%02X", ch);
        column += as_is ? 1 : 3;
    }
    buf_add(b, TEXT("\r\n"));
}

/* "=_" is in no quoted-printable text, so no body can hold the boundary. */
static void put_part(struct buf *b, text id, const char *type, text body)
{
    buf_print(b, "--=_%.*s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
              T(id), type);
    put_quoted(b, body);
}

enum err mime_write(struct arena *a, const struct mime *m, struct buf *out)
{
    TRY(check(a, m));
    put_headers(out, m);
    buf_print(out, "Content-Type: multipart/alternative; boundary=\"=_%.*s\"\r\n\r\n", T(m->id));
    put_part(out, m->id, "text/plain", m->text);
    put_part(out, m->id, "text/html", m->html);
    buf_print(out, "--=_%.*s--\r\n", T(m->id));
    return buf_check(a, out);
}
