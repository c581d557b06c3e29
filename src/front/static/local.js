/* Times of day by the reader's own clock, where it differs from the controller's; without a script they stand by the controller's, with its offset. */
'use strict';
const language = document.documentElement.lang === 'fr' ? 'fr-FR' : 'en-GB';
const words = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit',
                                                  timeZoneName: 'shortOffset' });
for (const time of document.querySelectorAll('time[datetime]')) {
    const said = time.textContent, offset = /(?:\(UTC([+-])(\d+)(?::(\d\d))?\)|UTC)$/.exec(said);
    const at = new Date(time.dateTime);
    if (!offset || Number.isNaN(at.getTime()))
        continue;
    const theirs = (offset[1] === '-' ? -1 : 1) * (60 * (offset[2] ?? 0) + Number(offset[3] ?? 0));
    if (theirs === -at.getTimezoneOffset())
        continue;
    time.title = said;
    time.textContent = words.format(at);
}
