/* The banner of a site: asks before any tracker that needs a choice, keeps the answer, and records it on the server. One
 * file for all policies; what it asks comes as its argument (/v1/trackers). What waits stands on the page as
 * <template data-purpose="PURPOSE">, and its content comes to life once that purpose is accepted. */
(function (asked) {
    'use strict';
    const script = document.currentScript;
    const server = new URL(script ? script.src : '/', location.href).origin;
    const { texts, purposes } = asked.shown;
    const cookie = asked.cookie;
    let ran = false;                                     // something that was accepted has run on this page
    let box = null, root = null, before = null;

    /* ---- What was chosen: "1795341600.audience~taste.RANDOM"; a refusal ends behind the second dot. ---- */

    function kept() {
        const found = document.cookie.split('; ').find(one => one.startsWith(cookie.name + '='));
        const [at, given, device] = found ? found.slice(cookie.name.length + 1).split('.') : [];
        if (given === undefined || !(Number(at) >= asked.asked))
            return { made: false, given: [], device };
        return { made: true, given: given ? given.split('~') : [], device };
    }

    function keep(value, age) {
        const secure = location.protocol === 'https:' ? '; Secure' : '';
        document.cookie = `${cookie.name}=${value}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
    }

    /* ---- What is not accepted goes: cookies of each domain and folder that this page reaches, and storage. ---- */

    function forget(name) {
        const hosts = location.hostname.split('.'), folders = location.pathname.split('/');
        const domains = ['', ...hosts.map((_, at) => `; Domain=${hosts.slice(at).join('.')}`)];
        for (let at = 1; at <= folders.length; at++)
            for (const domain of domains)
                for (const end of at === 1 ? ['/'] : ['', '/'])
                    document.cookie = `${name}=; Path=${folders.slice(0, at).join('/')}${end}${domain}; Max-Age=0`;
    }

    function clear(given) {
        for (const { purpose, trackers } of purposes)
            if (!given.includes(purpose))
                for (const { name, kind } of trackers)
                    try {
                        if (kind === 'local_storage')
                            localStorage.removeItem(name);
                        else if (kind === 'session_storage')
                            sessionStorage.removeItem(name);
                        else
                            forget(name);
                    } catch { /* the browser keeps storage from this page: nothing is there */ }
    }

    /* ---- What is accepted comes to life; a script that ran can only be ended with its page. ---- */

    function apply() {
        const { made, given } = kept();
        const wanted = made ? given : [];
        clear(wanted);
        for (const one of document.querySelectorAll('template[data-purpose]')) {
            if (!wanted.includes(one.dataset.purpose) || one.dataset.on)
                continue;
            one.dataset.on = ran = true;
            one.after(document.importNode(one.content, true));
        }
        document.dispatchEvent(new CustomEvent('garant:consent', { detail: { given: wanted, made } }));
    }

    async function choose(given, method) {
        const was = kept();
        const answer = await fetch(`${server}/v1/trackers/choices?lang=${asked.language}`, {
            method: 'POST', credentials: 'omit', keepalive: true, headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ version: asked.version, wording: asked.wording, given, method,
                                   device: was.device || undefined }),
        });
        if (!answer.ok)
            throw new Error(answer.status);
        const made = await answer.json();
        keep(made.cookie.value, made.cookie.max_age);
        close();
        apply();
        if (ran && was.given.some(purpose => !given.includes(purpose)))
            location.reload();
    }

    /* ---- The banner. ---- */

    const style = `:host{all:initial}*{box-sizing:border-box}section{position:fixed;z-index:2147483647;inset:auto 0 0 0;
max-height:100vh;overflow:auto;padding:1rem max(1rem,calc(50% - 30rem));background:#fff;color:#161616;
border-top:2px solid #161616;font:1rem/1.5 system-ui,sans-serif}h2{font-size:1.25rem;margin:0 0 .5rem}
p,fieldset,ul{margin:0 0 .75rem}fieldset{border:0;padding:0}div{display:flex;flex-wrap:wrap;gap:.75rem}
button{font:inherit;flex:1 1 10rem;padding:.6rem 1rem;border:2px solid #161616;border-radius:.3rem;background:#161616;
color:#fff;cursor:pointer}a{color:inherit}label{font-weight:600}input{width:1.25rem;height:1.25rem;margin:0 .5rem 0 0;
vertical-align:-.2rem}small{display:block;font-size:.9rem;margin:.1rem 0 .6rem 1.75rem}:focus-visible{outline:3px solid
#0a76f6;outline-offset:2px}[hidden]{display:none}@media(prefers-color-scheme:dark){section{background:#161616;color:#fff;
border-color:#fff}button{background:#fff;color:#161616;border-color:#fff}}`;

    function make(name, more = {}, ...inside) {
        const one = Object.assign(document.createElement(name), more);
        one.append(...inside);
        return one;
    }

    /* The ids are for programs that choose for a person (autoconsent: docs/autoconsent.json). */
    function button(id, text, act) {
        return make('button', { type: 'button', id, onclick: act }, text);
    }

    function purposeOf({ purpose, title, trackers, recipients }, given) {
        const input = make('input', { type: 'checkbox', id: 'p-' + purpose, value: purpose, checked: given.includes(purpose) });
        const told = trackers.map(one => [one.title, [one.name, one.lifetime, one.provider].filter(Boolean).join(', ')].join(' '));
        if (recipients.length)
            told.push(`${texts.recipients} ${recipients.join(', ')}.`);
        return [input, make('label', { htmlFor: input.id }, title), make('small', {}, told.join(' '))];
    }

    function open(focus) {
        close();
        const { made, given } = kept();
        const alert = make('p', { hidden: true }, texts.failed);
        alert.setAttribute('role', 'alert');
        const act = list => () => choose(list(), 'banner').catch(() => { alert.hidden = false; });
        const details = make('fieldset', { hidden: true }, make('legend', { hidden: true }, texts.choose),
                             ...purposes.flatMap(one => purposeOf(one, given)));
        const ticked = () => [...details.querySelectorAll('input:checked')].map(one => one.value);
        const save = button('save', texts.save, act(ticked));
        const pick = button('choose', texts.choose, () => {
            details.hidden = save.hidden = false;
            pick.hidden = true;
            details.querySelector('input').focus();
        });
        save.hidden = true;
        const heading = make('h2', { id: 'title', tabIndex: -1 }, texts.title);
        const list = make('ul', {}, ...purposes.map(one => make('li', {}, one.title)));
        const buttons = make('div', {}, button('refuse', texts.refuse, act(() => [])),
                             button('accept', texts.accept, act(() => purposes.map(one => one.purpose))), pick, save);
        if (made)
            buttons.append(button('close', texts.close, close));
        const section = make('section', {}, heading, make('p', {}, `${texts.controller}. ${texts.says}`), list,
                             make('p', {}, `${texts.device} ${texts.random} `,
                                  make('a', { href: `${server}/cookies?lang=${asked.language}` }, texts.notice)),
                             alert, details, buttons);
        section.setAttribute('role', 'dialog');
        section.setAttribute('aria-labelledby', 'title');
        section.lang = asked.language;
        section.addEventListener('keydown', event => { if (event.key === 'Escape' && kept().made) close(); });
        box = make('garant-consent');
        root = box.attachShadow({ mode: 'open' });
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(style);
        root.adoptedStyleSheets = [sheet];
        root.append(section);
        before = focus ? document.activeElement : null;
        document.body.prepend(box);                      // first in the order of the keyboard
        if (focus)
            heading.focus();
    }

    function close() {
        if (box)
            box.remove();
        box = null;
        if (before && before.isConnected)
            before.focus();
        before = null;
    }

    /* ---- On every page: a link that opens it again, the site's own (data-garant-consent) or one at the end. ---- */

    function link() {
        if (!document.querySelector('[data-garant-consent]')) {
            const one = make('a', { href: `${server}/consent?lang=${asked.language}`, lang: asked.language }, texts.link);
            one.dataset.garantConsent = '';
            document.body.append(make('p', {}, one));
        }
        document.addEventListener('click', event => {
            if (!event.target.closest('[data-garant-consent]'))
                return;
            event.preventDefault();
            open(true);
        });
    }

    /* Global Privacy Control is a refusal, recorded without a banner; what is chosen by hand stands above it. */
    function start() {
        if (!purposes.length)
            return;
        link();
        apply();
        if (kept().made)
            return;
        if (asked.signal || navigator.globalPrivacyControl)
            choose([], 'signal').catch(() => { /* asked again with the next page: nothing is on meanwhile */ });
        else
            open(false);
    }

    window.garantConsent = { open: () => open(true), apply, given: () => kept().made ? kept().given : [] };
    if (document.readyState === 'loading')
        document.addEventListener('DOMContentLoaded', start);
    else
        start();
})
