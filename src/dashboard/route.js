/** @typedef {{ page: 'list', filter: URLSearchParams } | { page: 'job', jobId: string }} Route */

/** Which page the address asks for. @param {string} hash @returns {Route} */
export function readRoute(hash) {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?')
  const jobId = /^\/jobs\/([^/]+)$/.exec(path)?.[1]
  return jobId === undefined
    ? { page: 'list', filter: new URLSearchParams(query) }
    : { page: 'job', jobId: decode(jobId) }
}

/** @param {string} jobId */
export function addressOfJob(jobId) {
  return `#/jobs/${encodeURIComponent(jobId)}`
}

/** @param {URLSearchParams} filter */
export function addressOfList(filter) {
  const query = filter.toString()
  return query === '' ? '#/' : `#/?${query}`
}

/** A broken address names no job; it is shown as it is, and not found. @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
