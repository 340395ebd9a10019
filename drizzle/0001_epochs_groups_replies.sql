CREATE TABLE `idempotent_replies` (
	`organization_id` text NOT NULL,
	`job_id` text NOT NULL,
	`request_key` text NOT NULL,
	`fingerprint` text NOT NULL,
	`as_of` integer NOT NULL,
	`job` text,
	PRIMARY KEY(`organization_id`, `job_id`, `request_key`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `job_entry_groups` (
	`organization_id` text NOT NULL,
	`job_id` text NOT NULL,
	`kind` text NOT NULL,
	`rank` integer NOT NULL,
	`error_type` text NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `job_id`, `kind`, `rank`)
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `jobs` ADD `kept_entities` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `jobs` ADD `entity_bytes` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `jobs` ADD `entities_not_kept` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `jobs` ADD `create_fingerprint` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `epoch` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE `jobs` SET `create_fingerprint` = (
	SELECT `fingerprint` FROM `job_answers` a
	WHERE a.`organization_id` = `jobs`.`organization_id` AND a.`job_id` = `jobs`.`job_id` AND a.`retry_key` LIKE 'create %'
);--> statement-breakpoint
INSERT INTO `idempotent_replies`
	SELECT `organization_id`, `job_id`, `retry_key`, `fingerprint`, `as_of`,
		iif(sum(octet_length(`job`)) OVER (PARTITION BY `organization_id`, `job_id` ORDER BY `as_of` DESC) <= 4194304, `job`, NULL)
	FROM `job_answers` WHERE `retry_key` NOT LIKE 'create %';--> statement-breakpoint
DROP TABLE `job_answers`;
