import type { Job } from 'milepost'

const BAR_WIDTH = 24

/** "uploading     [████████░░░░░░░░]  50.25%  1600/3201 done  34 failed  403 doubtful" */
function formatProgress(job: Job): string {
  const filled = Math.floor((job.progressPercentage / 100) * BAR_WIDTH)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
  const percent = `${job.progressPercentage.toFixed(2).padStart(6)}%`
  const counts = `${job.processedItems}/${job.totalItems} done  ${job.failedItems} failed  ${job.warnedItems} doubtful`
  return `${String(job.metadata.stage ?? job.status).padEnd(12)} [${bar}] ${percent}  ${counts}`
}

/**
 * Shows a job's progress. On a terminal it redraws one line; in a log or a pipe it prints a line for each stage and each further
 * 20 %.
 */
export function createProgressLine(out: NodeJS.WriteStream): { show(job: Job): void; end(): void } {
  let lastMark = ''
  return {
    show(job) {
      if (out.isTTY) {
        out.write(`\r${formatProgress(job)}\u001b[K`)
        return
      }
      const mark = `${job.metadata.stage} ${Math.floor(job.progressPercentage / 20)}`
      if (mark !== lastMark) out.write(`${formatProgress(job)}\n`)
      lastMark = mark
    },
    end() {
      if (out.isTTY) out.write('\n')
    },
  }
}
