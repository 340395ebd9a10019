CREATE TABLE `api_keys` (
	`key_hash` text PRIMARY KEY NOT NULL,
	`key_id` text NOT NULL,
	`organization_ids` text NOT NULL,
	`name` text NOT NULL,
	`permissions` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`revoked_at` integer,
	`last_used_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_key_id_unique` ON `api_keys` (`key_id`);--> statement-breakpoint
CREATE TABLE `job_answers` (
	`organization_id` text NOT NULL,
	`job_id` text NOT NULL,
	`retry_key` text NOT NULL,
	`fingerprint` text NOT NULL,
	`as_of` integer NOT NULL,
	`job` text NOT NULL,
	PRIMARY KEY(`organization_id`, `job_id`, `retry_key`)
);
--> statement-breakpoint
CREATE TABLE `job_entries` (
	`organization_id` text NOT NULL,
	`job_id` text NOT NULL,
	`kind` text NOT NULL,
	`seq` integer NOT NULL,
	`text` text NOT NULL,
	PRIMARY KEY(`organization_id`, `job_id`, `kind`, `seq`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `jobs` (
	`organization_id` text NOT NULL,
	`job_id` text NOT NULL,
	`job_type` text NOT NULL,
	`status` text NOT NULL,
	`total_items` integer NOT NULL,
	`processed_items` integer NOT NULL,
	`failed_items` integer NOT NULL,
	`warned_items` integer NOT NULL,
	`error_count` integer NOT NULL,
	`warning_count` integer NOT NULL,
	`kept_errors` integer NOT NULL,
	`kept_warnings` integer NOT NULL,
	`metadata` text NOT NULL,
	`triggered_by` text,
	`error_message` text,
	`created_at` integer NOT NULL,
	`started_at` integer,
	`completed_at` integer,
	`updated_at` integer NOT NULL,
	`stall_after_seconds` integer,
	`stalled_at` integer,
	`callback_url` text,
	`attempts` text NOT NULL,
	`next_delivery_at` integer,
	`stages` text NOT NULL,
	`pace` text NOT NULL,
	`revision` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `job_id`)
);
--> statement-breakpoint
CREATE INDEX `jobs_by_status` ON `jobs` (`organization_id`,`status`,`created_at`,`job_id`);--> statement-breakpoint
CREATE INDEX `jobs_by_type` ON `jobs` (`organization_id`,`job_type`,`status`,`created_at`,`job_id`);--> statement-breakpoint
CREATE INDEX `jobs_by_trigger` ON `jobs` (`organization_id`,`triggered_by`,`status`,`created_at`,`job_id`);--> statement-breakpoint
CREATE INDEX `jobs_by_type_and_trigger` ON `jobs` (`organization_id`,`job_type`,`triggered_by`,`status`,`created_at`,`job_id`);--> statement-breakpoint
CREATE INDEX `jobs_stalled` ON `jobs` (`organization_id`,`created_at`,`job_id`) WHERE stalled_at is not null;--> statement-breakpoint
CREATE INDEX `jobs_finished` ON `jobs` (`completed_at`) WHERE completed_at is not null;--> statement-breakpoint
CREATE TABLE `webhook_secrets` (
	`organization_id` text PRIMARY KEY NOT NULL,
	`secret` text NOT NULL,
	`created_at` integer NOT NULL
);
