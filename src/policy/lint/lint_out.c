/* What the linter found, written for people (text with carets) and for programs (JSON, SARIF 2.1.0). */
#include "policy/lint/lint.h"

struct words {
    text severity[3], accepted, law, cure, because, also, none;
};
static const struct words words[] = {
    [LINT_EN] = { { TEXT_INIT("error"), TEXT_INIT("warning"), TEXT_INIT("advice") },
                  TEXT_INIT("accepted"),
                  TEXT_INIT("law: "),
                  TEXT_INIT("to satisfy it: "),
                  TEXT_INIT("accepted: "),
                  TEXT_INIT("also at"),
                  TEXT_INIT("nothing to remark") },
    [LINT_FR] = { { TEXT_INIT("erreur"), TEXT_INIT("avertissement"), TEXT_INIT("conseil") },
                  TEXT_INIT("accepté"),
                  TEXT_INIT("source : "),
                  TEXT_INIT("pour y satisfaire : "),
                  TEXT_INIT("accepté : "),
                  TEXT_INIT("aussi en"),
                  TEXT_INIT("rien à signaler") },
};

static text in(enum lint_language language, text en, text fr) { return language == LINT_FR ? fr : en; }

static text message_of(const struct lint_rule *r, enum lint_language language) { return in(language, r->en, r->fr); }

/* The Regulation is called RGPD in French; other names of texts are what they are. */
static void add_source(struct buf *out, text source, enum lint_language language)
{
    for (ptrdiff_t at; language == LINT_FR && (at = text_find(source, TEXT("GDPR"))) >= 0;
         source = text_from(source, (size_t)at + 4)) {
        buf_add(out, text_upto(source, (size_t)at));
        buf_add(out, TEXT("RGPD"));
    }
    buf_add(out, source);
}

/* "message: path, path", for programs. */
static void add_message(struct buf *out, const struct lint_finding *f, enum lint_language language)
{
    buf_add(out, message_of(f->rule, language));
    if (f->detail.n)
        buf_print(out, "%s%.*s", language == LINT_FR ? " : " : ": ", T(f->detail));
}

/* ---- Text. ---- */

static text line_of(text source, uint32_t line)
{
    text row = { NULL, 0 };
    for (uint32_t i = 0; i < line && source.p; i++)
        row = text_cut(&source, '\n');
    return row.n && row.p[row.n - 1] == '\r' ? text_upto(row, row.n - 1) : row;
}

static void print_line(struct buf *out, const struct lint_findings *all, const struct lint_finding *f)
{
    enum { LONGEST = 400 };
    text row = line_of(all->source, f->at.line);
    if (!row.p || row.n > LONGEST)
        return;
    buf_print(out, "%6u | %.*s\n       | %*s\n", f->at.line, T(row), (int)f->at.column, "^");
}

static void print_places(struct buf *out, const struct lint_finding *f, const struct words *w)
{
    if (f->detail.n)
        buf_print(out, "       : %.*s\n", T(f->detail));
    bool first = true;
    for (const struct lint_place *p = f->places; p; p = p->next) {
        if (p->at.line == f->at.line)
            continue;
        if (first)
            buf_print(out, "       = %.*s ", T(w->also));
        buf_print(out, "%s%u:%u", first ? "" : ", ", p->at.line, p->at.column);
        first = false;
    }
    if (!first)
        buf_char(out, '\n');
}

static void print_finding(struct buf *out, const struct lint_findings *all, const struct lint_finding *f,
                          enum lint_language language)
{
    const struct words *w = &words[language];
    text head = f->accepted ? w->accepted : w->severity[f->severity];
    buf_print(out, "%.*s:%u:%u: %.*s %.*s: %.*s\n", T(f->file), f->at.line, f->at.column, T(head), T(f->rule->id),
              T(message_of(f->rule, language)));
    print_line(out, all, f);
    print_places(out, f, w);
    buf_print(out, "       = %.*s", T(w->law));
    add_source(out, f->rule->source, language);
    buf_print(out, " %.*s\n       = %.*s%.*s\n\n", T(f->rule->verified), T(f->accepted ? w->because : w->cure),
              T(f->accepted ? f->reason : in(language, f->rule->cure_en, f->rule->cure_fr)));
}

static void print_count(struct buf *out, const struct lint_findings *f, enum lint_language language)
{
    buf_print(out, "%.*s%s ", T(f->file), language == LINT_FR ? " :" : ":");
    if (!f->count)
        buf_print(out, "%.*s\n", T(words[language].none));
    else if (language == LINT_FR)
        buf_print(out, "erreurs : %u, avertissements : %u, conseils : %u, acceptés : %u\n", f->errors, f->warnings,
                  f->advice, f->accepted);
    else
        buf_print(out, "errors: %u, warnings: %u, advice: %u, accepted: %u\n", f->errors, f->warnings, f->advice,
                  f->accepted);
}

void lint_print(struct buf *out, const struct lint_findings *f, enum lint_language language)
{
    for (const struct lint_finding *i = f->first; i; i = i->next)
        print_finding(out, f, i, language);
    print_count(out, f, language);
}

/* ---- Explanation. ---- */

static const struct {
    text mark, en, fr;
} marks[] = {
    { TEXT_INIT("✔"), TEXT_INIT("the text was read"), TEXT_INIT("le texte a été lu") },
    { TEXT_INIT("◐"), TEXT_INIT("known from secondary text only"),
      TEXT_INIT("connu par des textes secondaires seulement") },
    { TEXT_INIT("○"), TEXT_INIT("general knowledge, to be checked against the official text"),
      TEXT_INIT("connaissance générale, à vérifier sur le texte officiel") },
};

static void explain_marks(struct buf *out, const struct lint_rule *r, enum lint_language language)
{
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (text_find(r->verified, marks[i].mark) >= 0)
            buf_print(out, "  %.*s %.*s\n", T(marks[i].mark), T(in(language, marks[i].en, marks[i].fr)));
}

static void explain_severities(struct buf *out, const struct lint_rule *r, const struct words *w)
{
    bool first = true;
    for (text rest = r->severities; rest.p; first = false) {
        text one = text_cut(&rest, '/');
        enum severity s = text_eq(one, TEXT("E"))   ? SEVERITY_ERROR
                          : text_eq(one, TEXT("W")) ? SEVERITY_WARNING
                                                    : SEVERITY_ADVICE;
        buf_print(out, "%s%.*s", first ? "" : " / ", T(w->severity[s]));
    }
}

void lint_explain(struct buf *out, const struct lint_rule *rule, enum lint_language language)
{
    const struct words *w = &words[language];
    bool fr = language == LINT_FR;
    buf_print(out, "%.*s: %.*s (", T(rule->id), T(message_of(rule, language)));
    explain_severities(out, rule, w);
    buf_print(out, ")\n%s", fr ? "Source : " : "Source: ");
    add_source(out, rule->source, language);
    buf_print(out, " %.*s\n", T(rule->verified));
    explain_marks(out, rule, language);
    if (rule->from.year)
        buf_print(out, "%s%04d-%02d-%02d", fr ? "En vigueur depuis le " : "In force since ", rule->from.year,
                  rule->from.month, rule->from.day);
    if (rule->to.year)
        buf_print(out, "%s%04d-%02d-%02d", fr ? " jusqu'au " : " until ", rule->to.year, rule->to.month, rule->to.day);
    buf_print(out, "\n%s%.*s\n",
              fr ? "Pour y satisfaire : " : "To satisfy it: ", T(in(language, rule->cure_en, rule->cure_fr)));
    buf_print(out, "%s\n",
              fr ? "Référence technique, et non conseil juridique." : "An engineering reference, not legal advice.");
}

/* ---- JSON. ---- */

static text letter(enum severity s)
{
    return s == SEVERITY_ERROR ? TEXT("E")
         : s == SEVERITY_WARNING ? TEXT("W") : TEXT("A");
}

static void put_message(struct json_out *w, const struct lint_finding *f, enum lint_language language)
{
    BUF_AUTO b = buf_make(1 << 16);
    add_message(&b, f, language);
    json_put_text_of(w, &b);
}

static void put_fault(struct json_out *w, text file, const struct finding *f)
{
    json_open(w, '{');
    json_pair(w, TEXT("rule"), TEXT("form"));
    json_pair(w, TEXT("severity"), letter(f->severity));
    json_pair(w, TEXT("file"), file);
    json_pair_int(w, TEXT("line"), f->at.line);
    json_pair_int(w, TEXT("column"), f->at.column);
    json_pair(w, TEXT("message"), f->message);
    json_pair_bool(w, TEXT("accepted"), false);
    json_close(w, '}');
}

void lint_json(struct json_out *w, const struct lint_findings *all, enum lint_language language)
{
    for (const struct finding *f = all->faults ? all->faults->first : NULL; f; f = f->next)
        put_fault(w, all->file, f);
    for (const struct lint_finding *f = all->first; f; f = f->next) {
        json_open(w, '{');
        json_pair(w, TEXT("rule"), f->rule->id);
        json_pair(w, TEXT("severity"), letter(f->severity));
        json_pair(w, TEXT("file"), f->file);
        json_pair_int(w, TEXT("line"), f->at.line);
        json_pair_int(w, TEXT("column"), f->at.column);
        json_name(w, TEXT("message"));
        put_message(w, f, language);
        json_pair_bool(w, TEXT("accepted"), f->accepted);
        json_close(w, '}');
    }
}

/* ---- SARIF. ---- */

static text level(enum severity s)
{
    return s <= SEVERITY_QUESTION ? TEXT("error")
         : s == SEVERITY_WARNING ? TEXT("warning") : TEXT("note");
}

static void pair_message(struct json_out *w, text name, text said)
{
    json_name(w, name);
    json_open(w, '{');
    json_pair(w, TEXT("text"), said);
    json_close(w, '}');
}

static enum severity worst(const struct lint_rule *r)
{
    return text_index(r->severities, 'E') >= 0   ? SEVERITY_ERROR
           : text_index(r->severities, 'W') >= 0 ? SEVERITY_WARNING
                                                 : SEVERITY_ADVICE;
}

static void put_rule(struct json_out *w, const struct lint_rule *r, enum lint_language language)
{
    json_open(w, '{');
    json_pair(w, TEXT("id"), r->id);
    pair_message(w, TEXT("shortDescription"), message_of(r, language));
    pair_message(w, TEXT("help"), in(language, r->cure_en, r->cure_fr));
    json_name(w, TEXT("defaultConfiguration"));
    json_open(w, '{');
    json_pair(w, TEXT("level"), level(worst(r)));
    json_close(w, '}');
    json_name(w, TEXT("properties"));
    json_open(w, '{');
    json_pair(w, TEXT("source"), r->source);
    json_pair(w, TEXT("verified"), r->verified);
    json_close(w, '}');
    json_close(w, '}');
}

static void put_tool(struct json_out *w, enum lint_language language)
{
    unsigned count;
    const struct lint_rule *rules = lint_rules(&count);
    json_name(w, TEXT("tool"));
    json_open(w, '{');
    json_name(w, TEXT("driver"));
    json_open(w, '{');
    json_pair(w, TEXT("name"), TEXT("Garant"));
    json_pair(w, TEXT("version"), TEXT(GARANT_VERSION));
    json_pair(w, TEXT("language"), language == LINT_FR ? TEXT("fr") : TEXT("en"));
    json_name(w, TEXT("rules"));
    json_open(w, '[');
    for (unsigned i = 0; i < count; i++)
        put_rule(w, &rules[i], language);
    json_close(w, ']');
    json_close(w, '}');
    json_close(w, '}');
}

/* A file name as a relative reference of RFC 3986. */
static void put_uri(struct json_out *w, text file)
{
    BUF_AUTO b = buf_make(1 << 16);
    for (size_t i = 0; i < file.n; i++) {
        char c = file.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     text_index(TEXT("-._~/"), c) >= 0;
        if (plain)
            buf_char(&b, c);
        else
            buf_print(&b, "%%%02X", (unsigned)(uint8_t)c);
    }
    json_put_text_of(w, &b);
}

static void put_location(struct json_out *w, text file, struct mark at, text path)
{
    json_open(w, '{');
    json_name(w, TEXT("physicalLocation"));
    json_open(w, '{');
    json_name(w, TEXT("artifactLocation"));
    json_open(w, '{');
    json_name(w, TEXT("uri"));
    put_uri(w, file);
    json_close(w, '}');
    json_name(w, TEXT("region"));
    json_open(w, '{');
    json_pair_int(w, TEXT("startLine"), at.line);
    json_pair_int(w, TEXT("startColumn"), at.column);
    json_close(w, '}');
    json_close(w, '}');
    json_name(w, TEXT("logicalLocations"));
    json_open(w, '[');
    json_open(w, '{');
    json_pair(w, TEXT("fullyQualifiedName"), path);
    json_close(w, '}');
    json_close(w, ']');
    json_close(w, '}');
}

static void put_result(struct json_out *w, const struct lint_finding *f, enum lint_language language)
{
    unsigned count;
    json_open(w, '{');
    json_pair(w, TEXT("ruleId"), f->rule->id);
    json_pair_int(w, TEXT("ruleIndex"), f->rule - lint_rules(&count));
    json_pair(w, TEXT("level"), level(f->severity));
    json_name(w, TEXT("message"));
    json_open(w, '{');
    json_name(w, TEXT("text"));
    put_message(w, f, language);
    json_close(w, '}');
    json_name(w, TEXT("locations"));
    json_open(w, '[');
    put_location(w, f->file, f->at, f->path);
    json_close(w, ']');
    json_name(w, TEXT("relatedLocations"));
    json_open(w, '[');
    for (const struct lint_place *p = f->places; p; p = p->next)
        put_location(w, f->file, p->at, p->path);
    json_close(w, ']');
    json_name(w, TEXT("suppressions"));
    json_open(w, '[');
    if (f->accepted) {
        json_open(w, '{');
        json_pair(w, TEXT("kind"), TEXT("inSource"));
        json_pair(w, TEXT("status"), TEXT("accepted"));
        json_pair(w, TEXT("justification"), f->reason);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void put_notification(struct json_out *w, text file, const struct finding *f)
{
    json_open(w, '{');
    json_pair(w, TEXT("level"), level(f->severity));
    pair_message(w, TEXT("message"), f->message);
    json_name(w, TEXT("locations"));
    json_open(w, '[');
    put_location(w, file, f->at, f->path);
    json_close(w, ']');
    json_close(w, '}');
}

static void put_invocation(struct json_out *w, const struct lint_findings *files, unsigned count)
{
    bool good = true;
    for (unsigned i = 0; i < count; i++)
        good &= !files[i].faults || !(files[i].faults->errors + files[i].faults->questions);
    json_name(w, TEXT("invocations"));
    json_open(w, '[');
    json_open(w, '{');
    json_pair_bool(w, TEXT("executionSuccessful"), good);
    json_name(w, TEXT("toolExecutionNotifications"));
    json_open(w, '[');
    for (unsigned i = 0; i < count; i++)
        for (const struct finding *f = files[i].faults ? files[i].faults->first : NULL; f; f = f->next)
            put_notification(w, files[i].file, f);
    json_close(w, ']');
    json_close(w, '}');
    json_close(w, ']');
}

void lint_sarif(struct json_out *w, const struct lint_findings *files, unsigned count, enum lint_language language)
{
    json_open(w, '{');
    json_pair(w, TEXT("$schema"), TEXT("https://json.schemastore.org/sarif-2.1.0.json"));
    json_pair(w, TEXT("version"), TEXT("2.1.0"));
    json_name(w, TEXT("runs"));
    json_open(w, '[');
    json_open(w, '{');
    put_tool(w, language);
    put_invocation(w, files, count);
    json_pair(w, TEXT("columnKind"), TEXT("unicodeCodePoints"));
    json_name(w, TEXT("results"));
    json_open(w, '[');
    for (unsigned i = 0; i < count; i++)
        for (const struct lint_finding *f = files[i].first; f; f = f->next)
            put_result(w, f, language);
    json_close(w, ']');
    json_close(w, '}');
    json_close(w, ']');
    json_close(w, '}');
}
