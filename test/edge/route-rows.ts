import type { Permission } from '../../src/access/caller.ts'

/** How the security suites call a route, and what they hold it to. */
export type Row =
  /** About one job: it answers a stranger just what it answers about an id that was never given. */
  | { about: 'job'; needs: Permission; body?: object; of?: 'a finished job' }
  /** About an organisation: it answers a stranger just what it answers about one that does not exist. */
  | { about: 'organization'; needs: Permission; body?: object }
  /** About neither: it answers everyone the same. */
  | { about: 'nobody'; needs: null; as?: string; isPage?: true }

/** Every route of the edge. A test in the Worker holds this list against its routes: one without a row fails it. */
export const rows: Record<string, Row> = {
  'POST /api/jobs/': {
    about: 'organization',
    needs: 'job:create',
    body: { job_type: 'import', total_items: 3 },
  },
  'GET /api/jobs/': { about: 'organization', needs: 'job:read' },
  'POST /api/jobs/{job_id}/progress': {
    about: 'job',
    needs: 'job:create',
    body: { mark_failed: 'by a stranger', metadata_patch: { stolen: true } },
  },
  'GET /api/jobs/{job_id}': { about: 'job', needs: 'job:read' },
  'GET /api/jobs/{job_id}/status': { about: 'job', needs: 'job:read' },
  'POST /api/jobs/{job_id}/cancel': { about: 'job', needs: 'job:cancel', body: { reason: 'by a stranger' } },
  // Of a job that is not finished, the events do not end.
  'GET /api/jobs/{job_id}/events': { about: 'job', needs: 'job:read', of: 'a finished job' },
  'GET /api/jobs/{job_id}/deliveries': { about: 'job', needs: 'job:read' },
  'GET /api/jobs/{job_id}/entry-groups': { about: 'job', needs: 'job:read' },
  'GET /api/jobs/{job_id}/errors': { about: 'job', needs: 'job:read' },
  'GET /api/jobs/{job_id}/warnings': { about: 'job', needs: 'job:read' },
  'GET /healthz': { about: 'nobody', needs: null },
  'GET /openapi.json': { about: 'nobody', needs: null },
  'GET /': { about: 'nobody', needs: null, isPage: true },
  'GET /dashboard/{file}': { about: 'nobody', needs: null, as: '/dashboard/app.js', isPage: true },
}

export const routes = Object.entries(rows).map(([name, row]) => {
  const [method = '', path = ''] = name.split(' ')
  return { name, method, path: ('as' in row && row.as) || path, row }
})

export type Route = (typeof routes)[number]

export function routesAbout(about: Row['about']): Route[] {
  return routes.filter(({ row }) => row.about === about)
}
