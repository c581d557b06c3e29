/* Tells a site's own server what happens on its pages: one file for all policies, which say as its argument what may be told. It runs
 * for the purpose that its element names (data-purpose), once the banner says that it was accepted, or at once where the policy exempts
 * it; it keeps nothing on the device. Events go to data-to as {"events": […]}: that server adds whose they are, and sends them on. */
(function (told) {
    'use strict';
    const script = document.currentScript, { purpose, to, mouse } = script ? script.dataset : {};
    const MOST = 500, AGAIN = 5000;
    let on = false, queue = [], timer = 0, moves = 0;
    const vitals = {};

    function add(action, more) {
        const fields = {};
        const all = { action, page: location.pathname, connectivity: navigator.onLine ? (navigator.connection || {}).effectiveType : 'offline', ...more };
        for (const name of told.fields)
            if (all[name] !== undefined && all[name] !== '')
                fields[name] = typeof all[name] === 'string' ? all[name].slice(0, 200) : all[name];
        const known = told.fields.includes('action') ? !told.actions || told.actions.includes(action) : action === 'view';
        if (!on || !known)
            return;
        const id = crypto.getRandomValues(new Uint32Array(4)).join('-');
        queue.push({ id, at: new Date().toISOString(), fields });
        queue = queue.slice(-MOST);
        timer = timer || setTimeout(send, AGAIN);
    }

    /* Each event has an id: what is sent again after a loss of the network is kept once. */
    async function send() {
        const events = queue.slice(0, 50);
        timer = 0;
        if (!on || !events.length || !navigator.onLine)
            return;
        try {
            const answer = await fetch(to, { method: 'POST', keepalive: true, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ events }) });
            if (answer.status < 500)
                queue = queue.filter(one => !events.includes(one));
        } catch { /* later */ }
        if (queue.length)
            timer = timer || setTimeout(send, AGAIN);
    }

    function leave() {
        if (Object.keys(vitals).length)
            add('indicator', { indicators: { ...vitals } });
        if (moves)
            add('mouse', { indicators: { moves } });
        moves = 0;
        while (on && queue.length) {
            const events = queue.slice(0, 50);
            if (!navigator.sendBeacon(to, new Blob([JSON.stringify({ events })], { type: 'application/json' })))
                return;
            queue = queue.slice(50);
        }
    }

    function watch(type, take) {
        try {
            new PerformanceObserver(list => list.getEntries().forEach(take)).observe({ type, buffered: true });
        } catch { /* this browser measures it not */ }
    }

    function press(event) {
        const of = event.target instanceof Element && event.target.closest('a[href], button, [role=button]');
        if (!of)
            return;
        const url = of.href && new URL(of.href, location.href);
        if (url && (of.hasAttribute('download') || /\.(pdf|csv|zip|ods|xlsx?|docx?|odt)$/i.test(url.pathname)))
            add('download', { target: of.download || url.pathname });
        else
            add('click', { target: of.id || of.name || (url ? url.pathname : '') });
    }

    let begun = false;
    function begin() {
        const loaded = performance.getEntriesByType('navigation')[0];
        on = true;
        if (begun)
            return;
        begun = true;
        add('view', { response_ms: loaded ? Math.round(loaded.responseEnd - loaded.requestStart) : undefined });
        addEventListener('click', press, true);
        addEventListener('error', event => {
            if (event.message)
                add('error', { error: `${(event.error || {}).name || 'Error'} ${(event.filename || '').split(/[?#]/)[0].split('/').pop()}:${event.lineno}` });
        });
        addEventListener('online', send);
        document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && leave());
        addEventListener('pagehide', leave);
        if (mouse !== undefined)
            addEventListener('pointermove', () => moves++, { passive: true });
        watch('largest-contentful-paint', one => vitals.lcp = Math.round(one.startTime));
        watch('layout-shift', one => vitals.cls = Math.round(((vitals.cls || 0) + (one.hadRecentInput ? 0 : one.value)) * 1000) / 1000);
        watch('event', one => vitals.inp = Math.max(vitals.inp || 0, Math.round(one.duration)));
    }

    if (!purpose || !to)
        return;
    if (told.exempt.includes(purpose))
        begin();
    document.addEventListener('garant:consent', event => {
        if (told.exempt.includes(purpose) || !told.asked.includes(purpose))
            return;
        if (event.detail.given.includes(purpose))
            begin();
        else {                                           // withdrawn: what waits is not sent any more
            on = false;
            queue = [];
        }
    });
    if (told.asked.includes(purpose) && window.garantConsent && garantConsent.given().includes(purpose))
        begin();
})
