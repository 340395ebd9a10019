const numbers = new Intl.NumberFormat('en-GB')
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const clockWithSeconds = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const dayOfYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
const whole = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long' })

/** Shown in place of a missing value. */
export const NOTHING = '–'

/** @param {number} value */
export function formatNumber(value) {
  return numbers.format(value)
}

/** Rounds down: 99.9 % must not show as 100 %. @param {number} percentage @param {0 | 1} [decimals] */
export function formatPercentage(percentage, decimals = 0) {
  const unit = 10 ** decimals
  return `${(Math.floor(percentage * unit) / unit).toFixed(percentage === 100 ? 0 : decimals)}\u202f%`
}

/** @param {number} count @param {string} one @param {string} [many] */
export function formatCount(count, one, many = `${one}s`) {
  return `${formatNumber(count)} ${count === 1 ? one : many}`
}

/** Shows the two largest units: `42 s`, `3 min 05 s`, `2 h 08 min`, `4 d 3 h`. @param {number} seconds */
export function formatDuration(seconds) {
  const s = Math.floor(seconds)
  if (s < 1) return '< 1 s'
  if (s < 60) return `${s} s`
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0')
  if (s < 3_600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ${two(Math.floor((s % 3_600) / 60))} min`
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3_600)} h`
}

/** Rounds to the precision of an estimate: `under a minute`, `4 min`, `2 h 10 min`. @param {number} seconds */
export function formatEstimate(seconds) {
  if (seconds < 10) return 'a few seconds'
  if (seconds < 60) return 'under a minute'
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  if (minutes < 1_440) return `${Math.floor(minutes / 60)} h ${Math.round((minutes % 60) / 5) * 5} min`
  return `${Math.round(minutes / 1_440)} d`
}

/** Picks the unit that gives a readable number. @param {number} perSecond */
export function formatRate(perSecond) {
  const [rate, unit] =
    perSecond >= 1
      ? [perSecond, 's']
      : perSecond * 60 >= 1
        ? [perSecond * 60, 'min']
        : [perSecond * 3_600, 'h']
  return `${rate >= 10 ? formatNumber(Math.round(rate)) : rate.toFixed(1)} per ${unit}`
}

/** Leaves out what today implies: `14:02`, `23 Nov, 14:02`, `23 Nov 2024`. @param {Date} time @param {Date} [now] */
export function formatTime(time, now = new Date()) {
  if (time.toDateString() === now.toDateString()) return clock.format(time)
  if (time.getFullYear() === now.getFullYear()) return `${day.format(time)}, ${clock.format(time)}`
  return dayOfYear.format(time)
}

/** @param {Date} time @param {Date} [now] */
export function formatTimeWithSeconds(time, now = new Date()) {
  const seconds = clockWithSeconds.format(time)
  return time.toDateString() === now.toDateString() ? seconds : `${day.format(time)}, ${seconds}`
}

/** The full date and time, for tooltips. @param {Date} time */
export function formatWholeTime(time) {
  return whole.format(time)
}
