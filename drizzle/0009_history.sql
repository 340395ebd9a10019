CREATE TABLE `job_logs` (
	`organization_id` text NOT NULL,
	`job_id` text NOT NULL,
	`messages` text NOT NULL,
	`history` text NOT NULL,
	PRIMARY KEY(`organization_id`, `job_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `job_stats` (
	`organization_id` text NOT NULL,
	`hour` integer NOT NULL,
	`job_type` text NOT NULL,
	`status` text NOT NULL,
	`jobs` integer NOT NULL,
	`deleted` integer DEFAULT 0 NOT NULL,
	`carried` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`organization_id`, `hour`, `job_type`, `status`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `job_stats_by_type` ON `job_stats` (`organization_id`,`job_type`,`hour`,`status`);--> statement-breakpoint
CREATE INDEX `job_stats_by_hour` ON `job_stats` (`hour`);--> statement-breakpoint
CREATE TRIGGER `job_logs_departed_insert` BEFORE INSERT ON `job_logs`
WHEN EXISTS (SELECT 1 FROM `departures` WHERE `organization_id` = new.`organization_id`)
BEGIN
	SELECT RAISE(IGNORE);
END;
--> statement-breakpoint
CREATE TRIGGER `job_logs_departed_update` BEFORE UPDATE ON `job_logs`
WHEN EXISTS (SELECT 1 FROM `departures` WHERE `organization_id` = new.`organization_id`)
BEGIN
	SELECT RAISE(IGNORE);
END;
--> statement-breakpoint
CREATE TRIGGER `job_stats_departed_insert` BEFORE INSERT ON `job_stats`
WHEN EXISTS (SELECT 1 FROM `departures` WHERE `organization_id` = new.`organization_id`)
BEGIN
	SELECT RAISE(IGNORE);
END;
--> statement-breakpoint
CREATE TRIGGER `job_stats_departed_update` BEFORE UPDATE ON `job_stats`
WHEN EXISTS (SELECT 1 FROM `departures` WHERE `organization_id` = new.`organization_id`)
BEGIN
	SELECT RAISE(IGNORE);
END;
--> statement-breakpoint
INSERT INTO `job_stats` (`organization_id`, `hour`, `job_type`, `status`, `jobs`)
	SELECT `organization_id`, `completed_at` - `completed_at` % 3600000, `job_type`, `status`, count(*)
	FROM `jobs` WHERE `completed_at` IS NOT NULL GROUP BY 1, 2, 3, 4;--> statement-breakpoint
CREATE TRIGGER `stats_of_inserted_job` AFTER INSERT ON `jobs`
WHEN new.`completed_at` IS NOT NULL
BEGIN
	INSERT INTO `job_stats` (`organization_id`, `hour`, `job_type`, `status`, `jobs`)
		VALUES (new.`organization_id`, new.`completed_at` - new.`completed_at` % 3600000, new.`job_type`, new.`status`, 1)
		ON CONFLICT (`organization_id`, `hour`, `job_type`, `status`) DO UPDATE SET `jobs` = `jobs` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `stats_of_updated_job` AFTER UPDATE OF `status`, `completed_at`, `job_type` ON `jobs`
WHEN (old.`completed_at` IS NOT NULL OR new.`completed_at` IS NOT NULL)
	AND (old.`completed_at` IS NOT new.`completed_at` OR old.`status` <> new.`status` OR old.`job_type` <> new.`job_type`)
BEGIN
	UPDATE `job_stats` SET `jobs` = `jobs` - 1
		WHERE `organization_id` = old.`organization_id` AND `hour` = old.`completed_at` - old.`completed_at` % 3600000
			AND `job_type` = old.`job_type` AND `status` = old.`status`;
	INSERT INTO `job_stats` (`organization_id`, `hour`, `job_type`, `status`, `jobs`)
		SELECT new.`organization_id`, new.`completed_at` - new.`completed_at` % 3600000, new.`job_type`, new.`status`, 1
		WHERE new.`completed_at` IS NOT NULL
		ON CONFLICT (`organization_id`, `hour`, `job_type`, `status`) DO UPDATE SET `jobs` = `jobs` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `stats_of_deleted_job` AFTER DELETE ON `jobs`
WHEN old.`completed_at` IS NOT NULL
BEGIN
	UPDATE `job_stats` SET `deleted` = `deleted` + 1
		WHERE `organization_id` = old.`organization_id` AND `hour` = old.`completed_at` - old.`completed_at` % 3600000
			AND `job_type` = old.`job_type` AND `status` = old.`status`;
END;
