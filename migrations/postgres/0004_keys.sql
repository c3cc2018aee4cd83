-- The keys of the two largest tables of facts begin with what tells their rows apart. Two rows of a service nearly always
-- have the same environment, category and repository, and each of them had to be compared, at every step down the index.

ALTER TABLE change_facts DROP CONSTRAINT change_facts_pkey;
ALTER TABLE change_facts ADD PRIMARY KEY (service, sha, repository, environment, category);
ALTER TABLE deployment_facts DROP CONSTRAINT deployment_facts_pkey;
ALTER TABLE deployment_facts ADD PRIMARY KEY (service, id, environment, region, source);
