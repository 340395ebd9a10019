CREATE TABLE `organization_usage` (
	`organization_id` text PRIMARY KEY NOT NULL,
	`live_jobs` integer NOT NULL,
	`jobs` integer NOT NULL,
	`entry_bytes` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `jobs` ADD `entry_bytes` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE `jobs` SET `entry_bytes` = (
	SELECT coalesce(sum(octet_length(e.`text`)), 0) FROM `job_entries` e
	WHERE e.`organization_id` = `jobs`.`organization_id` AND e.`job_id` = `jobs`.`job_id`
		AND e.`seq` <= iif(e.`kind` = 'error', `jobs`.`kept_errors`, `jobs`.`kept_warnings`)
) WHERE `kept_errors` + `kept_warnings` > 0;--> statement-breakpoint
INSERT INTO `organization_usage`
	SELECT `organization_id`, sum(`status` IN ('pending', 'in_progress')), count(*), sum(`entry_bytes`)
	FROM `jobs` GROUP BY `organization_id`;--> statement-breakpoint
CREATE TRIGGER `usage_of_inserted_job` AFTER INSERT ON `jobs`
BEGIN
	INSERT INTO `organization_usage` (`organization_id`, `live_jobs`, `jobs`, `entry_bytes`)
		VALUES (new.`organization_id`, new.`status` IN ('pending', 'in_progress'), 1, new.`entry_bytes`)
		ON CONFLICT (`organization_id`) DO UPDATE SET
			`live_jobs` = `live_jobs` + excluded.`live_jobs`,
			`jobs` = `jobs` + 1,
			`entry_bytes` = `entry_bytes` + excluded.`entry_bytes`;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_of_updated_job` AFTER UPDATE OF `status`, `entry_bytes` ON `jobs`
WHEN old.`entry_bytes` <> new.`entry_bytes`
	OR (old.`status` IN ('pending', 'in_progress')) <> (new.`status` IN ('pending', 'in_progress'))
BEGIN
	UPDATE `organization_usage` SET
		`live_jobs` = `live_jobs`
			+ (new.`status` IN ('pending', 'in_progress')) - (old.`status` IN ('pending', 'in_progress')),
		`entry_bytes` = `entry_bytes` + new.`entry_bytes` - old.`entry_bytes`
		WHERE `organization_id` = new.`organization_id`;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_of_deleted_job` AFTER DELETE ON `jobs`
BEGIN
	UPDATE `organization_usage` SET
		`live_jobs` = `live_jobs` - (old.`status` IN ('pending', 'in_progress')),
		`jobs` = `jobs` - 1,
		`entry_bytes` = `entry_bytes` - old.`entry_bytes`
		WHERE `organization_id` = old.`organization_id`;
END;
