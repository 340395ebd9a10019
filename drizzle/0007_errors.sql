ALTER TABLE `job_entry_groups` ADD `first_seq` integer;--> statement-breakpoint
ALTER TABLE `job_entry_groups` ADD `last_seq` integer;