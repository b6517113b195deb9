# Completion for bash: source it, or put it into /etc/bash_completion.d. The program itself knows what may follow.
complete -C proconsul proconsul
