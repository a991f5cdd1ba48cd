// The main function of the link tests: what matters is that the room's archive links.
int main() { return 0; }
