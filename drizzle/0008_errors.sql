CREATE TABLE `error_type_hours` (
	`hour` integer NOT NULL,
	`organization_id` text NOT NULL,
	`kind` text NOT NULL,
	`more` integer NOT NULL,
	`error_type` text NOT NULL,
	`entries` integer NOT NULL,
	`jobs` integer NOT NULL,
	PRIMARY KEY(`hour`, `organization_id`, `kind`, `more`, `error_type`)
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `job_entry_groups` ADD `first_seq` integer;--> statement-breakpoint
ALTER TABLE `job_entry_groups` ADD `last_seq` integer;--> statement-breakpoint
CREATE INDEX `job_entries_by_entity` ON `job_entries` (`organization_id`,"text" ->> 'entity_type',"text" ->> 'entity_key',"text" ->> 'timestamp',`job_id`,`kind`,`seq`);
--> statement-breakpoint
CREATE TRIGGER `error_types_of_inserted_job` AFTER INSERT ON `jobs`
WHEN new.`completed_at` IS NOT NULL AND new.`error_count` + new.`warning_count` > 0
BEGIN
	INSERT INTO `error_type_hours` (`hour`, `organization_id`, `kind`, `more`, `error_type`, `entries`, `jobs`)
		SELECT new.`completed_at` / 3600000, new.`organization_id`, `kind`, 0, `type`, count(*), 1 FROM (
			SELECT `kind`, substr(coalesce(`text` ->> 'error_type', ''), 1, 200) AS `type` FROM `job_entries`
				WHERE `organization_id` = new.`organization_id` AND `job_id` = new.`job_id`
					AND `kind` = 'error' AND `seq` <= min(new.`kept_errors`, 500)
			UNION ALL
			SELECT `kind`, substr(coalesce(`text` ->> 'error_type', ''), 1, 200) FROM `job_entries`
				WHERE `organization_id` = new.`organization_id` AND `job_id` = new.`job_id`
					AND `kind` = 'warning' AND `seq` <= min(new.`kept_warnings`, 500)
		) GROUP BY `kind`, `type`
		UNION ALL
		SELECT new.`completed_at` / 3600000, new.`organization_id`, 'error', 1, '',
			new.`error_count` - min(new.`kept_errors`, 500), 1
			WHERE new.`error_count` > min(new.`kept_errors`, 500)
		UNION ALL
		SELECT new.`completed_at` / 3600000, new.`organization_id`, 'warning', 1, '',
			new.`warning_count` - min(new.`kept_warnings`, 500), 1
			WHERE new.`warning_count` > min(new.`kept_warnings`, 500)
		ON CONFLICT (`hour`, `organization_id`, `kind`, `more`, `error_type`) DO UPDATE SET
			`entries` = `entries` + excluded.`entries`,
			`jobs` = `jobs` + excluded.`jobs`;
END;
--> statement-breakpoint
CREATE TRIGGER `error_types_of_finished_job` AFTER UPDATE OF `status` ON `jobs`
WHEN old.`completed_at` IS NULL AND new.`completed_at` IS NOT NULL AND new.`error_count` + new.`warning_count` > 0
BEGIN
	INSERT INTO `error_type_hours` (`hour`, `organization_id`, `kind`, `more`, `error_type`, `entries`, `jobs`)
		SELECT new.`completed_at` / 3600000, new.`organization_id`, `kind`, 0, `type`, count(*), 1 FROM (
			SELECT `kind`, substr(coalesce(`text` ->> 'error_type', ''), 1, 200) AS `type` FROM `job_entries`
				WHERE `organization_id` = new.`organization_id` AND `job_id` = new.`job_id`
					AND `kind` = 'error' AND `seq` <= min(new.`kept_errors`, 500)
			UNION ALL
			SELECT `kind`, substr(coalesce(`text` ->> 'error_type', ''), 1, 200) FROM `job_entries`
				WHERE `organization_id` = new.`organization_id` AND `job_id` = new.`job_id`
					AND `kind` = 'warning' AND `seq` <= min(new.`kept_warnings`, 500)
		) GROUP BY `kind`, `type`
		UNION ALL
		SELECT new.`completed_at` / 3600000, new.`organization_id`, 'error', 1, '',
			new.`error_count` - min(new.`kept_errors`, 500), 1
			WHERE new.`error_count` > min(new.`kept_errors`, 500)
		UNION ALL
		SELECT new.`completed_at` / 3600000, new.`organization_id`, 'warning', 1, '',
			new.`warning_count` - min(new.`kept_warnings`, 500), 1
			WHERE new.`warning_count` > min(new.`kept_warnings`, 500)
		ON CONFLICT (`hour`, `organization_id`, `kind`, `more`, `error_type`) DO UPDATE SET
			`entries` = `entries` + excluded.`entries`,
			`jobs` = `jobs` + excluded.`jobs`;
END;
