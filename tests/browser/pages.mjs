// Every page of the server, a row each: its route as /openapi.json writes it, who may see it, and how its addresses are made for a site.
// A route that answers text/html and has no row here fails the tests, and so does a row without its route.

/** site: what tests/browser/run tells of a server. An address is a path, or {path, status (200 where it is left out), name (for the
 *  pictures), cookies (of who is signed in), moving (its figures change by themselves), lang (the path takes ?lang=), act (what is done on
 *  the page first: fills a form and sends it), only (in this language: that of the account, which answers to forms have)}.
 *  few, one: the same on all sites but for the data that other pages show too, so that two sites, or one, are enough. */
const AUTUMN = { name: 'Automne', 'subject.fr': 'Automne', 'text.fr': 'Bonjour.', 'subject.en': 'Autumn', 'text.en': 'Hello.' };

export const PAGES = [
    { route: '/', at: () => ['/'] },
    { route: '/privacy', at: () => ['/privacy'] },
    { route: '/cookies', at: () => ['/cookies'] },
    { route: '/go/{token}/{number}', one: true, at: () => [{ path: '/go/x/1', status: 404, name: 'link-of-a-letter-nowhere' }] },
    { route: '/leave', at: site => site.links.slice(0, 1).map(name => `/leave?to=${name}`) },
    { route: '/promises', few: true, at: () => [{ path: '/promises', moving: true }, { path: '/promises?of=rights', name: 'promises-part', moving: true }] },
    { route: '/privacy/versions', few: true, at: () => ['/privacy/versions'] },
    { route: '/privacy/versions/{hash}', few: true, at: site => site.versions.slice(-1).map(hash => `/privacy/versions/${hash}`) },
    { route: '/privacy/versions/{older}/diff/{newer}', few: true,
      at: site => site.versions.length > 1 ? [`/privacy/versions/${site.versions[1]}/diff/${site.versions[0]}`] : [] },

    { route: '/privacy/acknowledge', few: true, at: own('/privacy/acknowledge') },

    { route: '/signin', few: true,
      at: () => ['/signin', { path: '/signin', name: 'signin-refused', status: 422,
                              act: fill({ identifier: 'nobody@people.example', password: 'not this one' }) }] },
    { route: '/password/reset', few: true, at: () => ['/password/reset'] },
    { route: '/reset/{token}', few: true, at: () => [{ path: '/reset/' + 'A'.repeat(43), name: 'reset-unknown', status: 404 }] },
    { route: '/confirm', few: true, at: () => [{ path: '/confirm?token=' + 'A'.repeat(43), name: 'confirm', status: 404 }] },

    { route: '/invitation', at: site => site.people?.invitation ? [{ path: site.people.invitation, name: 'invitation', lang: true },
        { path: '/invitation?token=' + 'A'.repeat(43), name: 'invitation-unknown', status: 404 }] : [] },
    { route: '/register', few: true, at: site => site.registers
        ? ['/register', { path: '/register', name: 'register-refused', status: 422, act: send('main form') }] : [] },
    { route: '/forms/{name}', at: site => site.forms.map(name => `/forms/${name}`) },
    { route: '/publications/{name}', one: true, at: site => site.publishes ? [`/publications/${site.publishes}`] : [] },
    { route: '/publications/{name}/{id}', one: true, at: site => site.publishes
        ? [{ path: `/publications/${site.publishes}/01ARZ3NDEKTSV4RRFFQ69G5FAV`, name: 'publication-gone', status: 404 }] : [] },
    { route: '/publications/{name}/{id}/report', one: true, at: site => site.publishes
        ? [{ path: `/publications/${site.publishes}/01ARZ3NDEKTSV4RRFFQ69G5FAV/report`, name: 'publication-report-gone', status: 404 }] : [] },
    { route: '/me/publications', one: true, at: own('/me/publications') },
    { route: '/staff/support', at: as('support', '/staff/support') },
    { route: '/staff/support/{id}', at: as('support', '/staff/support/01ARZ3NDEKTSV4RRFFQ69G5FAV', { name: 'support-gone', status: 404 }) },
    { route: '/staff/publications', one: true, at: as('support', '/staff/publications') },
    { route: '/forms/{name}/paper', one: true, at: site => site.forms.slice(0, 1).map(name => `/forms/${name}/paper`) },
    { route: '/consent', few: true,
      at: site => ['/consent', ...site.cookies.includes('choice') ? [{ path: '/consent', name: 'consent-chosen', act: press('[value=accept]') }] : []] },
    { route: '/unsubscribe/{token}', one: true, at: () => [{ path: '/unsubscribe/' + 'A'.repeat(52), name: 'unsubscribe', status: 404 }] },
    { route: '/requests', one: true,
      at: () => ['/requests', { path: '/requests', name: 'requests-sent', act: fill({ email: 'nobody@people.example' }, 'main form') }] },
    { route: '/requests/follow', one: true, at: () => [{ path: '/requests/follow?token=' + 'A'.repeat(43), name: 'requests-follow', status: 404 }] },
    { route: '/incidents', at: () => ['/incidents'] },
    { route: '/requests/link', one: true, at: () => [{ path: '/requests/link?token=' + 'A'.repeat(43), name: 'requests-link', status: 404 }] },
    { route: '/charter', few: true,
      at: site => site.charter ? [{ path: site.charter, name: 'charter', lang: true },
          { path: '/charter?token=' + 'A'.repeat(43), name: 'charter-gone', status: 404 }] : [] },
    { route: '/staff/recipients', at: as('staff', '/staff/recipients') },
    { route: '/told', one: true, at: () => [{ path: '/told?token=' + 'A'.repeat(58), name: 'told', status: 404 }] },
    { route: '/staff/recipients/{recipient}/told', few: true,
      at: as('staff', '/staff/recipients/nobody/told', { name: 'staff-told-none', status: 422 }) },
    { route: '/staff/recipients/{recipient}', at: as('staff', '/staff/recipients/nobody', { name: 'staff-recipient-none', status: 422 }) },
    { route: '/confirm-form', one: true, at: () => [{ path: '/confirm-form?token=' + 'A'.repeat(43), name: 'confirm-form', status: 404 }] },
    { route: '/registration', one: true, at: () => [{ path: '/registration?token=' + 'A'.repeat(43), name: 'registration', status: 404 }] },

    { route: '/me', at: own('/me') },
    { route: '/me/edit/{category}', one: true, at: site => site.people ? own(`/me/edit/${site.people.category}`)(site) : [] },
    { route: '/me/consents', at: own('/me/consents') },
    { route: '/me/rights', one: true, at: own('/me/rights') },
    { route: '/me/requests', at: own('/me/requests') },
    { route: '/me/looks', one: true, at: own('/me/looks') },
    { route: '/me/history', one: true, at: own('/me/history') },
    { route: '/me/sessions', one: true, at: own('/me/sessions') },
    { route: '/me/preferences', at: own('/me/preferences') },
    { route: '/me/preferences/{category}',
      at: site => site.people?.board ? own(`/me/preferences/${site.people.board}`)(site) : [] },
    { route: '/me/close', one: true, at: own('/me/close') },
    { route: '/me/security', one: true, at: own('/me/security') },
    { route: '/me/export', one: true, at: own('/me/export') },
    { route: '/me/erase', one: true, at: own('/me/erase') },
    { route: '/signin/again', one: true, at: own('/signin/again') },

    { route: '/staff',
      at: site => [...as('staff', '/staff')(site), ...as('closed', '/staff', { status: 403 })(site),
                   ...as('plain', '/staff', { status: 403 })(site)] },
    { route: '/staff/usage', at: as('support', '/staff/usage') },
    { route: '/staff/audience', at: as('support', '/staff/audience') },
    { route: '/staff/capacity', at: site => ['events', 'storage'].flatMap(of => as('analyst', `/staff/capacity?measure=${of}`)(site)) },
    { route: '/staff/people',
      at: site => [...as('staff', '/staff/people')(site), ...as('manager', '/staff/people')(site),
                   ...as('support', '/staff/people')(site),
                   ...as('support', '/staff/people', { name: 'staff-people-listed', act: fill({ reason: 'ticket 42' }, 'form[action="/staff/people"]') })(site),
                   ...as('staff', '/staff/people',
                         { name: 'staff-nobody', status: 404, act: fill({ value: 'nobody@people.example' }, 'form[action="/staff/find"]') })(site),
                   ...as('staff', '/staff/people',
                         { name: 'staff-found', act: fill({ value: site.people?.identifier }, 'form[action="/staff/find"]') })(site)] },
    { route: '/staff/open',
      at: site => [...as('staff', '/staff/open')(site), ...as('support', '/staff/open')(site)] },
    { route: '/staff/requests', at: as('staff', '/staff/requests') },
    { route: '/staff/mail', at: as('staff', '/staff/mail') },
    { route: '/staff/requests/new', at: as('staff', '/staff/requests/new') },
    { route: '/staff/requests/{id}',
      at: as('staff', '/staff/requests/new', { name: 'staff-request', act: fill({ name: 'Anouk', text: 'My data' }, 'form[action="/staff/requests/new"]') }) },
    { route: '/staff/authorities', at: as('staff', '/staff/authorities') },
    { route: '/staff/authorities/new', at: as('staff', '/staff/authorities/new') },
    { route: '/staff/authorities/{id}',
      at: site => as('staff', '/staff/authorities/new', { name: 'staff-authority', act: fill({
          authority: 'Tribunal judiciaire', ground: 'CPP 77-1-1', received: '2026-01-05', subjects: site.people?.id ?? '',
          'category.contact': true },
          'form[action="/staff/authorities/new"]') })(site) },
    { route: '/staff/merger', at: as('staff', '/staff/merger', { status: 422 }) },
    { route: '/staff/desk', at: as('staff', '/staff/desk', { moving: true }) },
    { route: '/staff/stores', at: as('staff', '/staff/stores') },
    { route: '/staff/breaches', at: as('staff', '/staff/breaches') },
    { route: '/staff/breaches/new', at: as('staff', '/staff/breaches/new') },
    { route: '/staff/breaches/{id}',
      at: as('staff', '/staff/breaches/new', { name: 'staff-breach', act: fill({ what: 'A list went astray' }, 'form[action="/staff/breaches/new"]') }) },
    { route: '/staff/breaches/{id}/form', at: as('staff', '/staff/breaches/' + 'A'.repeat(26) + '/form', { name: 'breach-form', status: 404 }) },
    { route: '/staff/forms', at: as('campaigns', '/staff/forms') },
    { route: '/staff/forms/{name}', at: as('campaigns', '/staff/forms/spring_contest') },
    { route: '/staff/campaigns', at: as('campaigns', '/staff/campaigns') },
    { route: '/staff/campaigns/{id}',
      at: site => [
          ...as('campaigns', '/staff/campaigns', { name: 'staff-campaign', act: fill(AUTUMN) })(site),
          ...as('campaigns', '/staff/campaigns', { name: 'staff-campaign-post', act: async page => {
              await page.locator('[name="purpose"]').selectOption('marketing.post');
              await fill(AUTUMN)(page);
              for (const what of ['count', 'start'])
                  await press(`button[value="${what}"]`)(page);
              return press('button[value="people"]')(page);
          } })(site)] },
    { route: '/staff/people/{id}',
      at: site => !site.people ? [] : [
          ...as('staff', `/staff/people/${site.people.id}`)(site),
          ...as('staff', `/staff/people/${site.people.id}`, { name: 'staff-looked', act: send('form.form') })(site),
          ...as('support', `/staff/people/${site.people.id}`, { name: 'staff-looked-why', act: fill({ reason: 'ticket 42' }, 'form.form') })(site)] },
    { route: '/staff/people/{id}/folders',
      at: site => site.people ? [...as('staff', `/staff/people/${site.people.id}/folders`)(site),
                                 ...as('manager', `/staff/people/${site.people.id}/folders`)(site)] : [] },
    { route: '/staff/people/{id}/contacts',
      at: site => !site.people ? [] : [
          ...as('staff', `/staff/people/${site.people.id}/contacts`)(site),
          ...as('staff', `/staff/people/${site.people.id}/contacts`, { name: 'staff-contacts-seen', act: send('form[action$="/contacts"]') })(site)] },
    { route: '/staff/people/{id}/publish', one: true,
      at: site => site.people ? as('staff', `/staff/people/${site.people.id}/publish`)(site) : [] },
    { route: '/staff/people/{id}/signed',
      at: site => site.people ? as('campaigns', `/staff/people/${site.people.id}/signed`)(site) : [] },
    { route: null, one: true, at: () => [{ path: '/nothing-here', name: 'not-found', status: 404 }] },
];

/** Pages of the person who is signed in. */
function own(path) { return as('person', path); }

/** A page as that one of the site's people sees it. Those who are signed in have a language of their own: the address asks for one. */
function as(who, path, more = {}) {
    const name = (more.name ?? path.replace(/[0-9A-Z]{26}/, 'one').replace(/[^a-z]+/g, '-').replace(/^-|-$/g, '')) + (who === 'person' ? '' : `-${who}`);
    return site => !site.people?.cookies[who] ? [] : [{
        path, lang: true, moving: true, only: more.act && site.people.language, ...more, name, cookies: site.people.cookies[who],
    }];
}

/** Sends the form, and waits for the page that comes; its answer. */
function send(form = 'form.form') {
    return async page => {
        const button = page.locator(form).first().locator('button:not([name], [type="button"])');
        const [answer] = await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), button.click()]);
        return answer;
    };
}

/** Presses that button, and waits for the page that comes; its answer. */
function press(button) {
    return async page => {
        const [answer] = await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.locator(button).first().click()]);
        return answer;
    };
}

/** Fills inputs by their names, then sends the form. */
function fill(values, form = 'main form') {
    return async page => {
        for (const [name, value] of Object.entries(values))
            await (value === true ? page.locator(form).first().locator(`[name="${name}"]`).check()
                : page.locator(form).first().locator(`[name="${name}"]`).fill(value));
        return send(form)(page);
    };
}
