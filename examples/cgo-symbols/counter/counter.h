extern int shared_count;
