/* The process that reaches the platform's own databases: the program starts itself anew for each thing that is asked of
 * one store, so that no credential and no library of a database is ever in the server. */
#ifndef REACH_REACH_H
#define REACH_REACH_H

/* The first argument by which the program is that process, and nothing else. It reads from its standard input
 *   {"act": check, count, erase, copy or set, "store": {as in connectors.yaml}, "values": {FIELD: [text]}, "set": {…}}
 * and writes one answer to its standard output:
 *   {"state": "done", "tables": [{"table", "found", "erased", "changed", "kept", …}], "remains": [{"what", "days"}]}
 *   {"state": "unmapped", "faults": [{"table", "column", "fault"}]}: the map and the store differ, nothing was done
 *   {"state": "told", "told": {…}}: what an application answered, as it is
 *   {"state": "waits"}: an application took it, and will call back
 *   {"state": "failed", "why", "why_fr", "code"}: names and numbers, never a value
 * To an application it also has "id" and "now" (of the message), and "callback": {"url", "until"} where it may answer
 * later.
 * It never sees a key of the house, and ends after its answer. */
#define REACH_WORD "store-connector"
/* The whole process; the exit status is 0 when an answer was written. */
int reach_main(void);

#endif
