-- JSON: the origins that an administrator signed in at, where accounts name the host of the service. The secret
-- goes to no other host that an account names.
ALTER TABLE oauth_apps ADD COLUMN origins TEXT NOT NULL DEFAULT '[]';
