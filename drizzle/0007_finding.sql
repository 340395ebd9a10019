CREATE TABLE `job_terms` (
	`organization_id` text NOT NULL,
	`term` text NOT NULL,
	`created_at` integer NOT NULL,
	`job_id` text NOT NULL,
	PRIMARY KEY(`organization_id`, `term`, `created_at`, `job_id`)
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `jobs` ADD `labels` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE `jobs` ADD `parent_job_id` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `start_within_seconds` integer;--> statement-breakpoint
ALTER TABLE `jobs` ADD `finish_within_seconds` integer;--> statement-breakpoint
ALTER TABLE `jobs` ADD `late_at` integer;--> statement-breakpoint
CREATE INDEX `jobs_by_parent` ON `jobs` (`organization_id`,`parent_job_id`,`created_at`,`job_id`) WHERE parent_job_id is not null;--> statement-breakpoint
CREATE INDEX `jobs_late` ON `jobs` (`organization_id`,`status`,`created_at`,`job_id`) WHERE late_at is not null;
--> statement-breakpoint
INSERT INTO `job_terms`
	SELECT DISTINCT j.`organization_id`, t.`value`, j.`created_at`, j.`job_id` FROM `jobs` j, json_each((
		SELECT json_group_array(`term`) FROM (
		SELECT lower(substr(j.`job_type`, 1, 128)) AS `term`
		UNION SELECT lower(`value`) || char(31) || lower(`key`) FROM json_each(j.`labels`)
		UNION SELECT lower(`value`) || char(30) || `key` FROM (SELECT `key`, `value` FROM json_each(j.`metadata`)
			WHERE `type` = 'text' AND `key` GLOB '*_job_id' AND length(`key`) <= 64 AND length(`value`) BETWEEN 1 AND 128
			LIMIT 16)
		)
	)) t;
--> statement-breakpoint
CREATE TRIGGER `terms_of_inserted_job` AFTER INSERT ON `jobs`
BEGIN
	INSERT INTO `job_terms` SELECT new.`organization_id`, `term`, new.`created_at`, new.`job_id` FROM (
		SELECT lower(substr(new.`job_type`, 1, 128)) AS `term`
		UNION SELECT lower(`value`) || char(31) || lower(`key`) FROM json_each(new.`labels`)
		UNION SELECT lower(`value`) || char(30) || `key` FROM (SELECT `key`, `value` FROM json_each(new.`metadata`)
			WHERE `type` = 'text' AND `key` GLOB '*_job_id' AND length(`key`) <= 64 AND length(`value`) BETWEEN 1 AND 128
			LIMIT 16)
	) WHERE true ON CONFLICT DO NOTHING;
END;
--> statement-breakpoint
CREATE TRIGGER `terms_of_updated_job` AFTER UPDATE OF `job_type`, `labels`, `metadata`, `created_at` ON `jobs`
WHEN old.`created_at` <> new.`created_at` OR old.`job_type` <> new.`job_type` OR old.`labels` <> new.`labels`
	OR old.`metadata` <> new.`metadata`
		AND (instr(old.`metadata`, '_job_id"') > 0 OR instr(new.`metadata`, '_job_id"') > 0)
BEGIN
	DELETE FROM `job_terms` WHERE `organization_id` = old.`organization_id`
		AND `created_at` = old.`created_at` AND `job_id` = old.`job_id`
		AND `term` IN (
		SELECT lower(substr(old.`job_type`, 1, 128)) AS `term`
		UNION SELECT lower(`value`) || char(31) || lower(`key`) FROM json_each(old.`labels`)
		UNION SELECT lower(`value`) || char(30) || `key` FROM (SELECT `key`, `value` FROM json_each(old.`metadata`)
			WHERE `type` = 'text' AND `key` GLOB '*_job_id' AND length(`key`) <= 64 AND length(`value`) BETWEEN 1 AND 128
			LIMIT 16)
		) AND (old.`created_at` <> new.`created_at` OR `term` NOT IN (
		SELECT lower(substr(new.`job_type`, 1, 128)) AS `term`
		UNION SELECT lower(`value`) || char(31) || lower(`key`) FROM json_each(new.`labels`)
		UNION SELECT lower(`value`) || char(30) || `key` FROM (SELECT `key`, `value` FROM json_each(new.`metadata`)
			WHERE `type` = 'text' AND `key` GLOB '*_job_id' AND length(`key`) <= 64 AND length(`value`) BETWEEN 1 AND 128
			LIMIT 16)
		));
	INSERT INTO `job_terms` SELECT new.`organization_id`, `term`, new.`created_at`, new.`job_id` FROM (
		SELECT lower(substr(new.`job_type`, 1, 128)) AS `term`
		UNION SELECT lower(`value`) || char(31) || lower(`key`) FROM json_each(new.`labels`)
		UNION SELECT lower(`value`) || char(30) || `key` FROM (SELECT `key`, `value` FROM json_each(new.`metadata`)
			WHERE `type` = 'text' AND `key` GLOB '*_job_id' AND length(`key`) <= 64 AND length(`value`) BETWEEN 1 AND 128
			LIMIT 16)
	) WHERE true ON CONFLICT DO NOTHING;
END;
--> statement-breakpoint
CREATE TRIGGER `terms_of_deleted_job` AFTER DELETE ON `jobs`
BEGIN
	DELETE FROM `job_terms` WHERE `organization_id` = old.`organization_id`
		AND `created_at` = old.`created_at` AND `job_id` = old.`job_id`
		AND `term` IN (
		SELECT lower(substr(old.`job_type`, 1, 128)) AS `term`
		UNION SELECT lower(`value`) || char(31) || lower(`key`) FROM json_each(old.`labels`)
		UNION SELECT lower(`value`) || char(30) || `key` FROM (SELECT `key`, `value` FROM json_each(old.`metadata`)
			WHERE `type` = 'text' AND `key` GLOB '*_job_id' AND length(`key`) <= 64 AND length(`value`) BETWEEN 1 AND 128
			LIMIT 16)
		);
END;
