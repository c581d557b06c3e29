/* Fuzz target: messages. Whatever names, subjects and bodies hold, the message has its own headers and no other, three
 * boundaries, and lines of ASCII that end with CR LF. */
#include "fuzz.h"
#include "link/mime.h"

enum { LINE_MOST = 998, BOUNDARIES = 3 };

static bool known_header(text line)
{
    static const text names[] = { TEXT_INIT("From: "),
                                  TEXT_INIT("To: "),
                                  TEXT_INIT("Subject: "),
                                  TEXT_INIT("Date: "),
                                  TEXT_INIT("Message-ID: "),
                                  TEXT_INIT("Service-Notice: "),
                                  TEXT_INIT("Auto-Submitted: "),
                                  TEXT_INIT("Content-Language: "),
                                  TEXT_INIT("MIME-Version: "),
                                  TEXT_INIT("Content-Type: multipart/alternative; "),
                                  TEXT_INIT(" ") };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_starts(line, names[i]))
            return true;
    return false;
}

static void check_message(text message)
{
    unsigned boundaries = 0;
    bool headers = true;
    FUZZ_CHECK(text_ends(message, TEXT("\r\n")));
    for (text rest = text_upto(message, message.n - 1); rest.p;) {
        text line = text_cut(&rest, '\n');
        FUZZ_CHECK(text_ends(line, TEXT("\r")) && line.n <= LINE_MOST);
        line = text_upto(line, line.n - 1);
        for (size_t i = 0; i < line.n; i++)
            FUZZ_CHECK((line.p[i] >= ' ' && line.p[i] <= '~') || line.p[i] == '\t');
        headers &= line.n > 0;
        FUZZ_CHECK(!headers || known_header(line));
        boundaries += text_starts(line, TEXT("--=_01"));
    }
    FUZZ_CHECK(boundaries == BOUNDARIES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_AUTO a = arena_make(1 << 20);
    BUF_AUTO b = buf_make(1 << 20);
    text rest = { (const char *)data, size };
    struct mime m = { .from = TEXT("a@b.example"),
                      .to = TEXT("c@d.example"),
                      .language = TEXT("fr"),
                      .id = TEXT("01"),
                      .letter = TEXT("reset") };
    m.from_name = text_cut(&rest, (char)0xFF);
    m.subject = text_cut(&rest, (char)0xFF);
    m.date = (msec)(size * size * DAY);
    m.text = text_cut(&rest, (char)0xFF);
    m.html = rest;
    enum err code = mime_write(&a, &m, &b);
    FUZZ_CHECK(code == OK || code == ERR_VALUE);
    if (code == OK)
        check_message(buf_begun(&b));
    return 0;
}
