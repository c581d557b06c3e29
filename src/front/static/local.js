/* Times of day by the reader's own clock, where it differs from the controller's; without a script they stand by the controller's, with its offset. */
'use strict';
const language = document.documentElement.lang === 'fr' ? 'fr-FR' : 'en-GB';
const format = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit',
                                                   hourCycle: 'h23', timeZoneName: 'shortOffset' });

/* As the server writes it: "1 December 2026, 14:41 (UTC+1)", « 1er décembre 2026 à 14:41 (UTC+1) ». */
function words(at) {
    const { day, month, year, hour, minute, timeZoneName } = Object.fromEntries(format.formatToParts(at).map(part => [part.type, part.value]));
    const french = language === 'fr-FR', zone = timeZoneName.replace('GMT', 'UTC').replace('\u2212', '-').replace(/\+0$/, '');
    return `${day}${french && day === '1' ? 'er' : ''} ${month} ${year}${french ? ' à' : ','} ${hour}:${minute} ${zone === 'UTC' ? zone : `(${zone})`}`;
}

for (const time of document.querySelectorAll('time[datetime]')) {
    const said = time.textContent, offset = /(?:\(UTC([+-])(\d+)(?::(\d\d))?\)|UTC)$/.exec(said);
    const at = new Date(time.dateTime);
    if (!offset || Number.isNaN(at.getTime()))
        continue;
    const theirs = (offset[1] === '-' ? -1 : 1) * (60 * (offset[2] ?? 0) + Number(offset[3] ?? 0));
    if (theirs === -at.getTimezoneOffset())
        continue;
    time.title = said;
    time.textContent = words(at);
}
