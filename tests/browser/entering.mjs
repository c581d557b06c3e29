// Somebody gets an account under whatever policy it is, with nothing but what the pages and letters say: no JavaScript, a phone, the keyboard.
import { PASSWORD, company, letter, link, operator } from './company.mjs';

/** The staff open it where the policy lets nobody open their own. */
async function invited(site, all, who) {
    const { identifier, password, spare: code } = site.people.clerk;
    const clerk = await all.somebody();
    await clerk.go('/staff/open');
    await clerk.send({ identifier, password });
    await clerk.send({ code });
    clerk.at('/staff/open');
    const asked = await clerk.wanted();
    const mail = Object.keys(asked).find(name => asked[name].includes('@'));
    await clerk.send({ ...asked, [mail]: who });
    await clerk.sees('invited');
    return link(await letter(site, who, 'invitation'));
}

async function registers(all, one, who) {
    await one.go('/register?next=/me/consents');
    const asked = await one.wanted();
    const mail = Object.keys(asked).find(name => asked[name].includes('@'));
    if (!mail)
        all.fault(`the page asks for no address: ${Object.keys(asked)}`);
    if ('password' in asked)
        all.fault('the password is asked for before the address is confirmed');
    await one.type({ ...asked, [mail]: who });
    await one.sees('email', who);
}

export async function entering(browser, site, folder) {
    const all = company(browser, site, folder, 'enter');
    const who = `enter.${site.policy}@people.example`;
    try {
        const one = await all.somebody();
        let at;
        if (site.registers) {
            await registers(all, one, who);
            at = link(await letter(site, who, 'identifier_confirm'));
        } else
            at = await invited(site, all, who);
        await one.go(at);
        await one.sees();
        await one.type({ password: PASSWORD });
        if (site.approval) {
            await one.sees('email you');
            const { accounts } = await operator(site, 'GET', '/v1/accounts?state=awaiting');
            await operator(site, 'POST', `/v1/accounts/${accounts[0].id}/approve`);
            await one.go(link(await letter(site, who, 'approved')));
            await one.type({ identifier: who, password: PASSWORD });
        } else
            one.at(site.registers ? '/me/consents' : '/me');
        await one.go('/me');
        one.at('/me');
        await one.sees(who, 'Odile');
    } finally {
        await all.close();
    }
    return all.faults;
}
