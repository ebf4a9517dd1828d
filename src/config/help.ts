/** What `--help` prints. */
import { SETTINGS } from './settings'

export function describeUsage(): string {
  const width = Math.max(...SETTINGS.map(setting => setting.name.length))
  const rows = SETTINGS.map(({ name, meaning, default: value }) => `  ${name.padEnd(width)}  ${meaning} [${value}]`)
  return `Usage: data-raw-upload [PATH...] [--date YYYY-MM-DD] [--dry-run] [--json]

Uploads every CSV file of a folder, byte for byte, to the raw zone of a data lake
on Amazon S3 or an S3-compatible server, and exits.

  PATH...            files or folders instead of DATA_DIR
  --date YYYY-MM-DD  the date in the key, instead of RUN_DATE
  --dry-run          do everything but write
  --json             one JSON object a line on stdout, instead of LOG_FORMAT
  --help, --version

Everything else is environment, also from .env in the working folder:
${rows.join('\n')}

Exit codes: 0 done, 1 some files failed, 2 configuration, 3 credentials,
4 bucket, 5 CSV refused, 6 endpoint, 130 and 143 stopped by a signal.
`
}
