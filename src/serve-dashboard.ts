import { Hono } from 'hono'
import { etag, RETAINED_304_HEADERS } from 'hono/etag'
import apiJs from './dashboard/api.js'
import appJs from './dashboard/app.js'
import baseCss from './dashboard/base.css'
import cancelDialogJs from './dashboard/cancel-dialog.js'
import copyButtonJs from './dashboard/copy-button.js'
import deliveriesJs from './dashboard/deliveries.js'
import domJs from './dashboard/dom.js'
import emptyListJs from './dashboard/empty-list.js'
import entryGroupsJs from './dashboard/entry-groups.js'
import entryListJs from './dashboard/entry-list.js'
import eventStreamJs from './dashboard/event-stream.js'
import formatJs from './dashboard/format.js'
import iconSvg from './dashboard/icon.svg'
import indexHtml from './dashboard/index.html'
import jobCss from './dashboard/job.css'
import jobFactsJs from './dashboard/job-facts.js'
import jobPageJs from './dashboard/job-page.js'
import jobProgressJs from './dashboard/job-progress.js'
import jobProseJs from './dashboard/job-prose.js'
import jobRowJs from './dashboard/job-row.js'
import jobTableJs from './dashboard/job-table.js'
import listCss from './dashboard/list.css'
import listFiltersJs from './dashboard/list-filters.js'
import listPageJs from './dashboard/list-page.js'
import listQueryJs from './dashboard/list-query.js'
import metadataJs from './dashboard/metadata.js'
import noticeJs from './dashboard/notice.js'
import pollJs from './dashboard/poll.js'
import progressBarJs from './dashboard/progress-bar.js'
import routeJs from './dashboard/route.js'
import runningTimeJs from './dashboard/running-time.js'
import sessionJs from './dashboard/session.js'
import signInJs from './dashboard/sign-in.js'
import stageTimelineJs from './dashboard/stage-timeline.js'
import statusJs from './dashboard/status.js'
import watchJobJs from './dashboard/watch-job.js'
import type { EdgeEnv } from './http/edge-env.ts'

/**
 * The files of the page, as they are in src/dashboard, as text in the Worker. Not static assets like the documents: they are
 * few and small, and need no look-up.
 */
const FILES: Record<string, string> = {
  'api.js': apiJs,
  'app.js': appJs,
  'base.css': baseCss,
  'cancel-dialog.js': cancelDialogJs,
  'copy-button.js': copyButtonJs,
  'deliveries.js': deliveriesJs,
  'dom.js': domJs,
  'empty-list.js': emptyListJs,
  'entry-groups.js': entryGroupsJs,
  'entry-list.js': entryListJs,
  'event-stream.js': eventStreamJs,
  'format.js': formatJs,
  'icon.svg': iconSvg,
  'job-facts.js': jobFactsJs,
  'job-page.js': jobPageJs,
  'job-progress.js': jobProgressJs,
  'job-prose.js': jobProseJs,
  'job-row.js': jobRowJs,
  'job.css': jobCss,
  'list-filters.js': listFiltersJs,
  'list-page.js': listPageJs,
  'job-table.js': jobTableJs,
  'list.css': listCss,
  'list-query.js': listQueryJs,
  'metadata.js': metadataJs,
  'notice.js': noticeJs,
  'poll.js': pollJs,
  'progress-bar.js': progressBarJs,
  'route.js': routeJs,
  'running-time.js': runningTimeJs,
  'session.js': sessionJs,
  'sign-in.js': signInJs,
  'stage-timeline.js': stageTimelineJs,
  'status.js': statusJs,
  'watch-job.js': watchJobJs,
}

const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/**
 * Only files of our own origin, and nothing inline. If text from the API ever reached a sink for markup or code, the
 * browser would refuse it: strings are not accepted there.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

// Revalidated on every use: after a deploy, no browser mixes old files with new ones.
const HEADERS = { 'Cache-Control': 'no-cache', 'Content-Security-Policy': POLICY }

// A browser applies the policy of a 304 to the cached page. Without this one, that would be the API's, which allows nothing.
const cached = etag({ retainedHeaders: [...RETAINED_304_HEADERS, 'Content-Security-Policy'] })

/** `GET /` and the files it loads: the page for operators. Needs no credential, as it has no data of its own. */
export const dashboard = new Hono<EdgeEnv>()
  .get('/', cached, (c) => c.html(indexHtml, 200, HEADERS))
  .get('/dashboard/:file', cached, (c) => {
    const file = c.req.param('file')
    const text = Object.hasOwn(FILES, file) ? FILES[file] : undefined
    if (text === undefined) return c.notFound()
    const type = TYPES[file.slice(file.lastIndexOf('.') + 1)] ?? 'text/plain'
    return c.body(text, 200, { ...HEADERS, 'Content-Type': type })
  })
