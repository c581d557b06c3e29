/* What a policy asks of passwords (security.password), and the levels of the CNIL's recommendation 2022-100: one
 * reading for the linter, which judges the rule, and for the server, which judges each password. */
#ifndef POLICY_PASSWORD_RULE_H
#define POLICY_PASSWORD_RULE_H
#include "policy/policy.h"

#define PASSWORD_CLASSES(X) X(UPPER, "upper", 26) X(LOWER, "lower", 26) X(DIGIT, "digit", 10) X(SPECIAL, "special", 37)
enum password_class {
#define X(name, word, signs) CLASS_##name,
    PASSWORD_CLASSES(X)
#undef X
        CLASS_COUNT
};
text password_class_word(enum password_class class); /* as in the file: upper lower digit special */

enum { PASSWORD_CHARACTERS_MAX = 1024 };
enum password_profile { PROFILE_NONE, PROFILE_CUSTOM, PROFILE_ALONE, PROFILE_RESTRICTED, PROFILE_DEVICE };
/* A rule, or what one password has. */
struct password_rule {
    enum password_profile profile;
    int64_t length, words; /* fewest; 0: the file does not say */
    unsigned classes;      /* 1 << enum password_class, of those that must occur */
    int64_t attempts;      /* failures before guessing is slowed; 0: the file does not say */
    bool locked, slowed;   /* at most 10 attempts; guessing is slowed by that or otherwise */
    bool unslowed;         /* the file says that nothing slows it */
    bool steady;           /* `throttle: lock`: the whole delay at once, it does not grow */
    bool blocklist;        /* common passwords are refused: unless the file says no */
    double bits;           /* entropy of `length` signs drawn from `classes` */
};
/* The rule as the file has it, from the node of security.password (NULL: nothing is said). */
void password_rule_read(const struct node *n, struct password_rule *out);
/* What the file leaves open filled in: 12 signs for cnil-alone, 8 for cnil-restricted, 4 for cnil-device, otherwise 15;
 * as `words` stay, a pass phrase of so many does as well. Ten attempts, three for cnil-device, then delays, unless the
 * file says `throttle: none`. */
void password_rule_complete(struct password_rule *r);
unsigned password_rule_classes(const struct password_rule *r); /* how many */
/* The CNIL's examples, some of which lie just under its own figures, or the figures: 80 bits; 50 where guessing is
 * slowed. */
bool password_rule_alone(const struct password_rule *r);
bool password_rule_slowed(const struct password_rule *r);

/* What a password lacks; all zero when it meets the rule. */
struct password_lack {
    int64_t length;         /* so many signs are needed; 0: long enough */
    unsigned classes, some; /* classes that do not occur; `some` of them are needed, 0: all */
    bool digits;            /* it is digits alone, and too few (16) */
};
/* Judges a password (UTF-8) by a completed rule. */
bool password_rule_meets(const struct password_rule *r, text password, struct password_lack *lack);
int64_t password_characters(text password);

#endif
