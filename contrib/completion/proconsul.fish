# Completion for fish: put it into ~/.config/fish/completions. The program itself knows what may follow.
function __complete_proconsul
    set -lx COMP_LINE (commandline -cp)
    test -z (commandline -ct)
    and set COMP_LINE "$COMP_LINE "
    proconsul
end
complete -f -c proconsul -a "(__complete_proconsul)"
