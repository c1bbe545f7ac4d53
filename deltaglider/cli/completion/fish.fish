# Completion of deltaglider for fish. In ~/.config/fish/config.fish:  deltaglider completion fish | source

function __deltaglider_complete
    set -l words (commandline -opc)
    set -l current (string unescape -- (commandline -ct); or commandline -ct)
    for line in ($words[1] completion fish --complete -- $words "$current" 2>/dev/null)
        set -l parts (string split \t -- $line)
        switch $parts[1]
            case file
                __fish_complete_path $current
            case plain
                printf '%s\t%s\n' $parts[2] $parts[3]
        end
    end
end

complete --no-files --command deltaglider --arguments '(__deltaglider_complete)'
