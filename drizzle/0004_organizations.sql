CREATE TABLE `departures` (
	`organization_id` text PRIMARY KEY NOT NULL,
	`database` text NOT NULL,
	`version` integer NOT NULL,
	`is_whole` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `organizations` (
	`organization_id` text PRIMARY KEY NOT NULL,
	`database` text NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	`placed_at` integer NOT NULL,
	`phase` text,
	`moving_from` text,
	`moving_to` text,
	`switched_at` integer
);
--> statement-breakpoint
CREATE TRIGGER `jobs_departed_insert` BEFORE INSERT ON `jobs`
WHEN EXISTS (SELECT 1 FROM `departures` WHERE `organization_id` = new.`organization_id`)
BEGIN
	SELECT RAISE(IGNORE);
END;
--> statement-breakpoint
CREATE TRIGGER `jobs_departed_update` BEFORE UPDATE ON `jobs`
WHEN EXISTS (SELECT 1 FROM `departures` WHERE `organization_id` = new.`organization_id`)
BEGIN
	SELECT RAISE(IGNORE);
END;
--> statement-breakpoint
CREATE TRIGGER `job_entries_departed_insert` BEFORE INSERT ON `job_entries`
WHEN EXISTS (SELECT 1 FROM `departures` WHERE `organization_id` = new.`organization_id`)
BEGIN
	SELECT RAISE(IGNORE);
END;
--> statement-breakpoint
CREATE TRIGGER `job_entries_departed_update` BEFORE UPDATE ON `job_entries`
WHEN EXISTS (SELECT 1 FROM `departures` WHERE `organization_id` = new.`organization_id`)
BEGIN
	SELECT RAISE(IGNORE);
END;
--> statement-breakpoint
CREATE TRIGGER `job_entry_groups_departed_insert` BEFORE INSERT ON `job_entry_groups`
WHEN EXISTS (SELECT 1 FROM `departures` WHERE `organization_id` = new.`organization_id`)
BEGIN
	SELECT RAISE(IGNORE);
END;
--> statement-breakpoint
CREATE TRIGGER `job_entry_groups_departed_update` BEFORE UPDATE ON `job_entry_groups`
WHEN EXISTS (SELECT 1 FROM `departures` WHERE `organization_id` = new.`organization_id`)
BEGIN
	SELECT RAISE(IGNORE);
END;
--> statement-breakpoint
CREATE TRIGGER `idempotent_replies_departed_insert` BEFORE INSERT ON `idempotent_replies`
WHEN EXISTS (SELECT 1 FROM `departures` WHERE `organization_id` = new.`organization_id`)
BEGIN
	SELECT RAISE(IGNORE);
END;
--> statement-breakpoint
CREATE TRIGGER `idempotent_replies_departed_update` BEFORE UPDATE ON `idempotent_replies`
WHEN EXISTS (SELECT 1 FROM `departures` WHERE `organization_id` = new.`organization_id`)
BEGIN
	SELECT RAISE(IGNORE);
END;
