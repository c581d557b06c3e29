// Every page of the server, a row each: its route as /openapi.json writes it, who may see it, and how its addresses are made for a site.
// A route that answers text/html and has no row here fails the tests, and so does a row without its route.

/** site: what tests/browser/run tells of a server. An address is a path, or {path, status (200 where it is left out), name (for the
 *  pictures), cookies (of who is signed in), moving (its figures change by themselves)}.
 *  few: the same on all sites but for the data that other pages show too, so that two sites are enough. */
export const PAGES = [
    { route: '/privacy', at: () => ['/privacy'] },
    { route: '/cookies', at: () => ['/cookies'] },
    { route: '/leave', at: site => site.links.slice(0, 1).map(name => `/leave?to=${name}`) },
    { route: '/promises', at: () => [{ path: '/promises', moving: true }] },
    { route: '/privacy/versions', few: true, at: () => ['/privacy/versions'] },
    { route: '/privacy/acknowledge', few: true, at: site => site.member ? [{ path: '/privacy/acknowledge', cookies: site.member }] : [] },
    { route: '/privacy/versions/{hash}', few: true, at: site => site.versions.slice(-1).map(hash => `/privacy/versions/${hash}`) },
    { route: '/privacy/versions/{older}/diff/{newer}', few: true,
      at: site => site.versions.length > 1 ? [`/privacy/versions/${site.versions[1]}/diff/${site.versions[0]}`] : [] },
];
