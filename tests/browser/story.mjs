// A story without JavaScript, on a phone, everything typed: staff opens an account, the person comes in, corrects, is looked at, sees it, and leaves.
import { company, link, operator } from './company.mjs';

export async function story(browser, site, folder) {
    const all = company(browser, site, folder, 'story'), { somebody, faults } = all;
    try {
        const { identifier, password, code } = site.people.clerk;
        const clerk = await somebody();
        await clerk.go('/staff/open');
        clerk.at('/signin');
        await clerk.send({ identifier, password });
        await clerk.send({ code });
        clerk.at('/staff/open');
        await clerk.sees('Open an account');
        const odiles = { 'identity.first_name': 'Odile', 'identity.last_name': 'Story', 'work.company': 'Studio Lumière', 'work.site': 'Lyon',
                         name: 'Audience 2026', why: 'contract 77' };
        await clerk.send({ ...odiles, 'contact.email': identifier });
        await clerk.sees('This already exists');
        await clerk.send({ 'contact.email': 'odile.story@people.example' });
        await clerk.sees('The account is open.', 'invited');
        const id = new URL(clerk.page.url()).pathname.split('/').pop();

        const odile = await somebody();
        await odile.go(link({ links: [(await operator(site, 'POST', `/v1/accounts/${id}/invite`)).link] }));
        await odile.send({ password: 'short' });
        await odile.sees('12');
        await odile.send({ password });
        if (new URL(odile.page.url()).pathname === '/signin')
            await odile.send({ identifier: 'odile.story@people.example', password });
        await odile.go('/me');
        await odile.sees('Odile', 'Story', 'odile.story@people.example');
        await odile.go('/me/edit/contact');
        await odile.send({ 'contact.phone': '+33 1 23 45 67 89' });
        await odile.sees('+33 1 23 45 67 89');
        await odile.go('/me/rights');
        await odile.sees('Audience 2026', 'contract 77');

        await clerk.go('/staff/people');
        await clerk.send({ value: 'Odile.Story@people.example', purpose: 'service' }, 'form[action="/staff/find"]');
        clerk.at(`/staff/people/${id}`);
        await clerk.sees('Odile Story', 'odile.story@people.example');

        await odile.go('/me/looks');
        await odile.sees('Account staff', 'Provide the portal');
        await odile.go('/me');
        await Promise.all([odile.page.waitForNavigation({ waitUntil: 'load' }), odile.page.locator('form.signout button').click()]);
        await odile.sees('Sign in');
        await odile.page.goBack({ waitUntil: 'load' });
        await odile.lacks('odile.story@people.example');
        await odile.go('/me');
        odile.at('/signin');
    } finally {
        await all.close();
    }
    return faults;
}
