/* Draws a form of the policy where its script tag stands, in the site's own style: one file for all policies; what the form says and asks
 * comes as its argument. It sets no style, keeps nothing on the device, and sends only what is typed, once it is sent. */
(function (asked) {
    'use strict';
    const script = document.currentScript;
    const { form, words, language } = asked;
    if (!script)
        return console.error('garant: form.js is loaded by a script tag of its own, not as a module');
    const server = new URL(script.src).origin, prefix = `garant-${form.form}-`;
    const own = `${server}/forms/${encodeURIComponent(form.form)}?lang=${language}`;
    const errors = new Map();                            // name of a field: { input, error, hint }

    function make(tag, has, ...inside) {
        const one = document.createElement(tag);
        for (const [name, value] of Object.entries(has))
            if (value || value === '')
                one.setAttribute(name, value === true ? '' : value);
        one.append(...inside.filter(part => part));
        return one;
    }
    const link = (path, says) => make('a', { href: server + path + '?lang=' + language }, says);

    /* ---- Fields. ---- */

    function tick(id, name, says, on) {
        return make('div', { class: 'garant-tick' }, make('input', { type: 'checkbox', id: prefix + id, name, value: 'on', checked: on }), ' ',
                    make('label', { for: prefix + id }, says));
    }

    function input(f, has) {
        if (f.choice_of)
            return make('select', has, !f.required && make('option', { value: '' }),
                        ...f.choices.map(({ choice, says, chosen }) => make('option', { value: choice, selected: chosen }, says)));
        if (f.long)
            return make('textarea', { ...has, rows: 4, required: f.required }, f.value);
        return make('input', { ...has, type: f.input, inputmode: f.mode, autocomplete: f.fill, required: f.required, value: f.value });
    }

    function field(f) {
        if (f.boolean)
            return tick(f.id, f.id, f.title, f.checked);
        const id = prefix + f.id, says = [f.hint, f.when && `${words.when} ${f.when}${words.colon}${f.when_value}`].filter(one => one).join(' ');
        const error = make('p', { id: id + '-error', class: 'garant-error', hidden: true });
        const hint = says && make('p', { id: id + '-hint', class: 'garant-hint' }, says);
        const one = input(f, { id, name: f.id, 'aria-describedby': hint && hint.id });
        errors.set(f.id, { input: one, error, hint });
        return make('div', { class: 'garant-field' },
                    make('label', { for: id }, f.title, !f.required && make('span', { class: 'garant-optional' }, ` (${words.optional})`)),
                    hint, error, one);
    }

    const group = (says, ...inside) => make('fieldset', {}, make('legend', {}, says), ...inside);

    /* ---- The short notice. ---- */

    function notice() {
        const list = make('dl', {}, make('dt', {}, words.who), make('dd', {}, form.controller), make('dt', {}, words.why),
                          ...form.purposes.map(({ title, basis }) => make('dd', {}, `${title} (${basis})`)), make('dt', {}, words.how_long),
                          ...form.kept.map(({ title, term }) => make('dd', {}, title + words.colon + term)));
        if (form.opens || form.closes)
            list.append(make('dt', {}, form.opens ? words.from : words.until),
                        make('dd', {}, [form.opens, form.opens && form.closes && words.until, form.closes].filter(one => one).join(' ')));
        if (form.rules)
            list.append(make('dt', {}, words.rules), make('dd', {}, form.rules));
        return [form.says && make('p', {}, form.says), list,
                make('p', {}, words.rights, ' ', link('/privacy', words.privacy), asked.requests && ' · ', asked.requests && link('/requests', words.requests))];
    }

    /* ---- What is wrong: each fault at its field, and all of them above, with a link to each. ---- */

    const wrong = make('div', { class: 'garant-problem', role: 'alert', tabindex: -1, hidden: true });

    function mark({ input, error, hint }, says) {
        error.textContent = says;
        error.hidden = !says;
        if (says)
            input.setAttribute('aria-invalid', 'true');
        else
            input.removeAttribute('aria-invalid');
        const by = [says && error.id, hint && hint.id].filter(one => one).join(' ');
        if (by)
            input.setAttribute('aria-describedby', by);
        else
            input.removeAttribute('aria-describedby');
    }

    function fault({ field, says }) {
        const at = errors.get(field);
        if (!at)
            return make('li', {}, make('p', {}, says));
        mark(at, says);
        const to = make('a', { href: '#' + at.input.id }, says);
        to.addEventListener('click', event => { event.preventDefault(); at.input.focus(); });
        return make('li', {}, make('p', {}, to));           // links apart from each other, whatever the site's style is
    }

    function tell(says, faults, more) {
        errors.forEach(one => mark(one, ''));
        wrong.replaceChildren(make('p', {}, says), ...(faults.length ? [make('ul', {}, ...faults.map(fault))] : []), ...(more ? [more] : []));
        wrong.hidden = false;
        wrong.focus();
    }

    /* ---- Sending. ---- */

    let busy = false;
    async function send(event) {
        event.preventDefault();
        if (busy)
            return;
        busy = true;
        try {
            const answer = await fetch(`${server}/embed/forms/${encodeURIComponent(form.form)}?lang=${language}`,
                                       { method: 'POST', credentials: 'omit', body: new URLSearchParams(new FormData(event.target)) });
            const said = await answer.json();
            if (answer.ok)
                done(said);
            else
                tell(said.says || said.title, said.faults || [], said.more && make('p', {}, said.more));
        } catch {                                        // no network, or a page of a site that is not listed
            tell(words.failed, [], make('p', {}, make('a', { href: own }, words.own)));
        }
        busy = false;
    }

    function done({ says, gives }) {
        const told = make('div', { class: 'garant-done', role: 'status', tabindex: -1 }, ...says.map(one => make('p', {}, one)));
        if (gives)
            told.append(make('p', {}, words.gives, ' ', /^https?:/.test(gives) ? make('a', { href: gives }, gives) : gives));
        section.replaceChildren(heading, told);
        told.focus();
    }

    /* ---- The form. ---- */

    function draw() {
        const fields = form.fields.map(field);
        const trap = make('div', { hidden: true }, make('label', { for: prefix + 'website' }, words.leave),
                          make('input', { id: prefix + 'website', name: 'website', tabindex: -1, autocomplete: 'off' }));
        const one = make('form', { action: own, method: 'post', novalidate: true, 'aria-labelledby': heading.id }, wrong,
                         make('input', { type: 'hidden', name: 'stamp', value: form.stamp }), ...fields, trap);
        if (form.boxes.length)
            one.append(group(words.choices, ...form.boxes.map(({ box, wording }) => tick('box-' + box, 'consent.' + box, wording))));
        if (form.minor_age)
            one.append(group(words.minor, tick('minor', 'minor', `${words.younger} ${form.minor_age} ${words.years_old}`), field(form.parent_field)));
        one.append(make('p', {}, make('button', { type: 'submit', class: 'garant-send' }, words.send)));
        if (form.confirmed)
            one.append(make('p', { class: 'garant-hint' }, words.then_confirm));
        one.addEventListener('submit', send);
        return one;
    }

    const level = /^[1-6]$/.test(script.dataset.heading) ? script.dataset.heading : 2;
    const heading = make('h' + level, { id: prefix + 'title' }, form.title);
    const section = make('section', { class: 'garant-form', lang: language, 'aria-labelledby': heading.id }, heading, ...notice(),
                         form.open ? draw() : make('p', { role: 'status' }, words.closed));
    script.after(section);
})
